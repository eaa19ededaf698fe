"""Collections, subjects, faces and their vectors; uploaded images

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import secure

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DIMENSIONS = (128, 512)


def _vector_table(dimensions: int) -> str:
    table = f"face_vectors_{dimensions}"
    return f"""
CREATE TABLE {table} (
  face_id uuid CONSTRAINT pk_{table} PRIMARY KEY,
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  embedding halfvec({dimensions}) NOT NULL,
  CONSTRAINT fk_{table}_face FOREIGN KEY (tenant_id, collection_id, face_id)
    REFERENCES faces (tenant_id, collection_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_{table}_collection_id ON {table} (collection_id);
{secure(table, app="SELECT, INSERT, DELETE")};
"""


def upgrade() -> None:
    op.execute(f"""
CREATE TABLE collections (
  id uuid CONSTRAINT pk_collections PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_collections_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  name text NOT NULL,
  model text NOT NULL,
  dimensions smallint NOT NULL,
  threshold double precision,
  target_fpir double precision,
  face_count bigint NOT NULL DEFAULT 0,
  metadata jsonb NOT NULL DEFAULT '{{}}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_collections_tenant_id_id UNIQUE (tenant_id, id),
  CONSTRAINT uq_collections_tenant_id_name UNIQUE (tenant_id, name),
  CONSTRAINT ck_collections_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
  CONSTRAINT ck_collections_dimensions CHECK (dimensions IN ({", ".join(map(str, DIMENSIONS))})),
  CONSTRAINT ck_collections_one_rule CHECK ((threshold IS NULL) <> (target_fpir IS NULL)),
  CONSTRAINT ck_collections_threshold_range CHECK (threshold BETWEEN -1 AND 1),
  CONSTRAINT ck_collections_target_fpir_range CHECK (target_fpir > 0 AND target_fpir < 1),
  CONSTRAINT ck_collections_face_count CHECK (face_count >= 0)
);
{secure("collections", app="SELECT, INSERT, UPDATE, DELETE")};

CREATE TABLE subjects (
  id uuid CONSTRAINT pk_subjects PRIMARY KEY,
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  external_id text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{{}}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_subjects_tenant_id_collection_id_id UNIQUE (tenant_id, collection_id, id),
  CONSTRAINT uq_subjects_collection_id_external_id UNIQUE (collection_id, external_id),
  CONSTRAINT ck_subjects_external_id_length CHECK (char_length(external_id) BETWEEN 1 AND 200),
  CONSTRAINT fk_subjects_collection FOREIGN KEY (tenant_id, collection_id)
    REFERENCES collections (tenant_id, id) ON DELETE CASCADE
);
{secure("subjects", app="SELECT, INSERT, UPDATE, DELETE")};

-- Provenance (job_id, item_seq) is copied, not referenced: jobs are dropped long before faces are.
CREATE TABLE faces (
  id uuid CONSTRAINT pk_faces PRIMARY KEY,
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  subject_id uuid,
  image_sha256 bytea NOT NULL,
  face_no smallint NOT NULL,
  box integer[] NOT NULL,
  quality real NOT NULL,
  model text NOT NULL,
  job_id uuid NOT NULL,
  item_seq integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_faces_tenant_id_collection_id_id UNIQUE (tenant_id, collection_id, id),
  CONSTRAINT uq_faces_collection_id_image_sha256_face_no UNIQUE (collection_id, image_sha256, face_no),
  CONSTRAINT ck_faces_digest_length CHECK (octet_length(image_sha256) = 32),
  CONSTRAINT ck_faces_box_corners CHECK (cardinality(box) = 4),
  CONSTRAINT fk_faces_collection FOREIGN KEY (tenant_id, collection_id)
    REFERENCES collections (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT fk_faces_subject FOREIGN KEY (tenant_id, collection_id, subject_id)
    REFERENCES subjects (tenant_id, collection_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_faces_subject_id_id ON faces (subject_id, id);
{secure("faces", app="SELECT, INSERT, DELETE")};
{"".join(_vector_table(d) for d in DIMENSIONS)}
CREATE TABLE images (
  id uuid CONSTRAINT pk_images PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_images_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  uri text NOT NULL,
  sha256 bytea NOT NULL,
  content_type text NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  byte_count bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_images_tenant_id_id UNIQUE (tenant_id, id),
  CONSTRAINT ck_images_digest_length CHECK (octet_length(sha256) = 32)
);
CREATE INDEX ix_images_created_at ON images (created_at);
{secure("images", app="SELECT, INSERT, DELETE", queue="SELECT (id, tenant_id, uri, created_at), DELETE")};
""")


def downgrade() -> None:
    op.execute(f"""
DROP TABLE images;
{"".join(f"DROP TABLE face_vectors_{d};" for d in DIMENSIONS)}
DROP TABLE faces;
DROP TABLE subjects;
DROP TABLE collections;
""")

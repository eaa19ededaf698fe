"""Whom a stored result may still name: SQL over a row of `detections`, for a tenant `:tenant_id`.

The one rule for what is shown (app/queries/items.py) and for what is written down afterwards
(app/services/jobs/scrub_results.py), so that nobody reads the name of somebody who was erased,
however long the writing takes. How similar they were stays, or no decision could be explained.
"""

from __future__ import annotations

# Whoever's face is there is there as well. A face may be erased alone: then its person stays named.
LIVING_MATCHES = """
coalesce((
  SELECT jsonb_agg(
    CASE WHEN face.id IS NOT NULL THEN match
      WHEN subject.id IS NOT NULL THEN match || '{"face_id": null, "erased": true}'
      ELSE match || '{"subject": null, "subject_id": null, "face_id": null, "erased": true}'
    END ORDER BY place)
  FROM jsonb_array_elements(detections.matches) WITH ORDINALITY AS shown (match, place)
  LEFT JOIN faces AS face
    ON face.tenant_id = :tenant_id AND face.id = CAST(match ->> 'face_id' AS uuid)
  LEFT JOIN subjects AS subject
    ON subject.tenant_id = :tenant_id AND subject.id = CAST(match ->> 'subject_id' AS uuid)
), detections.matches)
"""

LIVING_SUBJECT = """
(SELECT id FROM subjects WHERE tenant_id = :tenant_id AND id = detections.subject_id)
"""

LIVING_NAME = """
(SELECT external_id FROM subjects WHERE tenant_id = :tenant_id AND id = detections.subject_id)
"""

# From whom a face was moved: that person, and whether they have been left without faces.
LIVING_FORMER = """
(SELECT id FROM subjects WHERE tenant_id = :tenant_id AND id = detections.moved_from)
"""
FORMER = """
(SELECT jsonb_build_object('subject', external_id, 'subject_id', id, 'left_without_faces',
  NOT EXISTS (SELECT FROM faces WHERE tenant_id = :tenant_id AND subject_id = subjects.id))
FROM subjects WHERE tenant_id = :tenant_id AND id = detections.moved_from)
"""

LIVING_FACE = "(SELECT id FROM faces WHERE tenant_id = :tenant_id AND id = detections.face_id)"

-- Roles, database and extension, made once by a superuser before the first migration. Running it again is safe:
-- it sets the passwords and leaves the rest. The embedded stack and production both use this file:
--
--   psql "$SUPERUSER_URL" -v owner_password=... -v app_password=... -v queue_password=... \
--        [-v database=facequeue] -f deploy/postgres/bootstrap.sql
--
-- facequeue_owner  owns the tables: migrations, backups, index maintenance
-- facequeue_app    API and workers; row-level security shows it one tenant per transaction
-- facequeue_queue  dispatcher, reconciler, retention: every tenant, but few tables
\set ON_ERROR_STOP on
\set QUIET on
\if :{?database} \else \set database facequeue \endif

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['facequeue_owner', 'facequeue_app', 'facequeue_queue']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- No role may skip row-level security, and none may make others.
ALTER ROLE facequeue_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION PASSWORD :'owner_password';
ALTER ROLE facequeue_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION PASSWORD :'app_password';
ALTER ROLE facequeue_queue LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION PASSWORD :'queue_password';

-- The server's log quotes no values: neither the statement that failed, nor its parameters, nor the key of a duplicate.
DO $$
DECLARE role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['facequeue_owner', 'facequeue_app', 'facequeue_queue'] LOOP
    EXECUTE format('ALTER ROLE %I SET log_min_error_statement = panic', role);
    EXECUTE format('ALTER ROLE %I SET log_error_verbosity = terse', role);
    EXECUTE format('ALTER ROLE %I SET log_parameter_max_length = 0', role);
    EXECUTE format('ALTER ROLE %I SET log_parameter_max_length_on_error = 0', role);
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'the log of this server may quote values: set log_min_error_statement, log_error_verbosity and log_parameter_max_length(_on_error) where the service lets you (docs/operations.md, Logs)';
END $$;

-- A managed service's superuser is none: it must belong to a role to give it a database.
SELECT format('GRANT facequeue_owner TO %I', current_user)
WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

SELECT format('CREATE DATABASE %I OWNER facequeue_owner ENCODING ''UTF8'' TEMPLATE template0', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec

-- Strangers may not connect. Bulk rows pass through temporary tables, so both working roles may make them.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO facequeue_app, facequeue_queue;

\connect :"database"
CREATE EXTENSION IF NOT EXISTS vector;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Made by `npm run schema` from the migrations. Not executed by anything.

create sequence fences as bigint minvalue 1 maxvalue 9223372036854775807;

create sequence routing_revisions as bigint minvalue 1 maxvalue 9223372036854775807;

create sequence uids as integer minvalue 200000 maxvalue 2000000000;

create table apps (
  id text not null,
  team_id text not null,
  repository_id text not null,
  name text not null,
  root text not null default ''::text,
  branch text not null default 'main'::text,
  run_uid integer not null default nextval('uids'::regclass),
  build_uid integer not null default nextval('uids'::regclass),
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint apps_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id),
  constraint apps_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint apps_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX apps_name ON public.apps USING btree (name) WHERE (deleted_at IS NULL);
CREATE INDEX apps_repository ON public.apps USING btree (repository_id);
CREATE INDEX apps_team_created ON public.apps USING btree (team_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

create table artifacts (
  id text not null,
  team_id text not null,
  app_id text not null,
  kind text not null,
  digest text not null,
  location text not null,
  layers jsonb not null default '{}'::jsonb,
  process_types jsonb not null,
  run_env jsonb not null default '{}'::jsonb,
  size_bytes bigint not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null default now(),
  removed_at timestamp with time zone,
  constraint artifacts_kind_check CHECK ((kind = ANY (ARRAY['slug'::text, 'image'::text]))),
  constraint artifacts_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint artifacts_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint artifacts_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX artifacts_digest ON public.artifacts USING btree (app_id, digest) WHERE (removed_at IS NULL);

create table audit_events (
  id text not null,
  team_id text not null,
  created_at timestamp with time zone not null,
  actor text not null,
  action text not null,
  object text not null,
  outcome text not null,
  request_id text,
  address text,
  constraint audit_events_outcome_check CHECK ((outcome = ANY (ARRAY['allowed'::text, 'refused'::text]))),
  constraint audit_events_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_events_at ON public.audit_events USING btree (created_at);
CREATE INDEX audit_events_team_created ON public.audit_events USING btree (team_id, created_at DESC, id DESC);

create table build_folders (
  path text not null,
  team_id text not null,
  app_id text not null,
  build_id text not null,
  kind text not null,
  subject_id text not null,
  key text not null,
  created_at timestamp with time zone not null,
  constraint build_folders_kind_check CHECK ((kind = ANY (ARRAY['workspace'::text, 'layer'::text, 'artifact'::text]))),
  constraint build_folders_pkey PRIMARY KEY (path),
  constraint build_folders_build_id_kind_key_key UNIQUE (build_id, kind, key)
);
CREATE INDEX build_folders_app ON public.build_folders USING btree (app_id);

create table builds (
  id text not null,
  team_id text not null,
  app_id text not null,
  environment_id text not null,
  commit_sha text not null,
  status text not null,
  builder text,
  artifact_id text,
  error_code text,
  error_message text,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  log_removed_at timestamp with time zone,
  constraint builds_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'building'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text]))),
  constraint builds_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint builds_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifacts(id),
  constraint builds_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id) ON DELETE CASCADE,
  constraint builds_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint builds_pkey PRIMARY KEY (id)
);
CREATE INDEX builds_app_created ON public.builds USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX builds_team_created ON public.builds USING btree (team_id, created_at DESC, id DESC);

create table config_values (
  config_id text not null,
  name text not null,
  ciphertext bytea,
  reference text,
  key_id text generated always as (NULLIF(encode(SUBSTRING(ciphertext FROM 2 FOR 8), 'hex'::text), ''::text)) stored,
  constraint config_values_check CHECK (((ciphertext IS NULL) <> (reference IS NULL))),
  constraint config_values_config_id_fkey FOREIGN KEY (config_id) REFERENCES configs(id) ON DELETE CASCADE,
  constraint config_values_key_id_fkey FOREIGN KEY (key_id) REFERENCES master_keys(id) NOT VALID,
  constraint config_values_pkey PRIMARY KEY (config_id, name)
);
CREATE INDEX config_values_key ON public.config_values USING btree (key_id, config_id, name);

create table configs (
  id text not null,
  team_id text not null,
  environment_id text not null,
  kind text not null,
  version integer not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  constraint configs_kind_check CHECK ((kind = ANY (ARRAY['run'::text, 'build'::text]))),
  constraint configs_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id) ON DELETE CASCADE,
  constraint configs_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint configs_pkey PRIMARY KEY (id),
  constraint configs_environment_id_kind_version_key UNIQUE (environment_id, kind, version)
);

create table deploy_events (
  id bigint not null generated always as identity,
  deploy_id text not null,
  team_id text not null,
  at timestamp with time zone not null,
  from_status text,
  to_status text not null,
  message text not null,
  constraint deploy_events_deploy_id_fkey FOREIGN KEY (deploy_id) REFERENCES deploys(id) ON DELETE CASCADE,
  constraint deploy_events_pkey PRIMARY KEY (id)
);
CREATE INDEX deploy_events_deploy ON public.deploy_events USING btree (deploy_id, id);

create table deploys (
  id text not null,
  team_id text not null,
  app_id text not null,
  environment_id text not null,
  kind text not null,
  status text not null,
  wait_reason text,
  commit_sha text,
  source_id text,
  push_id text,
  build_id text,
  release_id text,
  previous_release_id text,
  previous_config_id text,
  rollback_to text,
  keep_config boolean not null default false,
  retry_of text,
  superseded_by text,
  error_code text,
  error_message text,
  cancel_requested_at timestamp with time zone,
  created_by text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint deploys_kind_check CHECK ((kind = ANY (ARRAY['push'::text, 'upload'::text, 'commit'::text, 'config'::text, 'rollback'::text]))),
  constraint deploys_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'building'::text, 'waiting'::text, 'releasing'::text, 'rolling_out'::text, 'watching'::text, 'live'::text, 'failed'::text, 'cancelled'::text, 'superseded'::text, 'rolled_back'::text]))),
  constraint deploys_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint deploys_build_id_fkey FOREIGN KEY (build_id) REFERENCES builds(id),
  constraint deploys_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id) ON DELETE CASCADE,
  constraint deploys_previous_config_id_fkey FOREIGN KEY (previous_config_id) REFERENCES configs(id),
  constraint deploys_previous_release_id_fkey FOREIGN KEY (previous_release_id) REFERENCES releases(id),
  constraint deploys_push_id_fkey FOREIGN KEY (push_id) REFERENCES pushes(id),
  constraint deploys_release_id_fkey FOREIGN KEY (release_id) REFERENCES releases(id),
  constraint deploys_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES deploys(id),
  constraint deploys_rollback_to_fkey FOREIGN KEY (rollback_to) REFERENCES releases(id),
  constraint deploys_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources(id),
  constraint deploys_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES deploys(id),
  constraint deploys_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint deploys_pkey PRIMARY KEY (id)
);
CREATE INDEX deploys_app_created ON public.deploys USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX deploys_environment_created ON public.deploys USING btree (environment_id, created_at DESC, id DESC);
CREATE INDEX deploys_open ON public.deploys USING btree (environment_id) WHERE (status <> ALL (ARRAY['live'::text, 'failed'::text, 'cancelled'::text, 'superseded'::text, 'rolled_back'::text]));
CREATE INDEX deploys_release ON public.deploys USING btree (release_id);
CREATE INDEX deploys_superseded_by ON public.deploys USING btree (superseded_by) WHERE (superseded_by IS NOT NULL);
CREATE INDEX deploys_team_created ON public.deploys USING btree (team_id, created_at DESC, id DESC);

create table environments (
  id text not null,
  team_id text not null,
  app_id text not null,
  name text not null,
  scale jsonb not null default '{}'::jsonb,
  config_id text,
  build_config_id text,
  last_release_version integer not null default 0,
  desired_release_id text,
  live_release_id text,
  generation integer not null default 1,
  rollout_error jsonb,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint environments_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint environments_build_config_id_fkey FOREIGN KEY (build_config_id) REFERENCES configs(id),
  constraint environments_config_id_fkey FOREIGN KEY (config_id) REFERENCES configs(id),
  constraint environments_desired_release_id_fkey FOREIGN KEY (desired_release_id) REFERENCES releases(id),
  constraint environments_live_release_id_fkey FOREIGN KEY (live_release_id) REFERENCES releases(id),
  constraint environments_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint environments_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX environments_name ON public.environments USING btree (app_id, name) WHERE (deleted_at IS NULL);
CREATE INDEX environments_team_created ON public.environments USING btree (team_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

create table idempotency_keys (
  token_id text not null,
  operation text not null,
  key text not null,
  fingerprint bytea not null,
  status integer,
  headers jsonb,
  body jsonb,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (token_id, operation, key)
);
CREATE INDEX idempotency_keys_created ON public.idempotency_keys USING btree (created_at);

create table instances (
  id text not null,
  team_id text not null,
  app_id text not null,
  environment_id text not null,
  release_id text not null,
  process_type text not null,
  slot integer not null,
  generation integer not null,
  status text not null,
  address jsonb,
  crashes integer not null default 0,
  end_reason text,
  failed_checks integer not null default 0,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  healthy_at timestamp with time zone,
  draining_at timestamp with time zone,
  drain_revision bigint,
  ended_at timestamp with time zone,
  constraint instances_status_check CHECK ((status = ANY (ARRAY['starting'::text, 'healthy'::text, 'unhealthy'::text, 'draining'::text, 'stopping'::text, 'ended'::text]))),
  constraint instances_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint instances_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id) ON DELETE CASCADE,
  constraint instances_release_id_fkey FOREIGN KEY (release_id) REFERENCES releases(id),
  constraint instances_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint instances_pkey PRIMARY KEY (id)
);
CREATE INDEX instances_environment ON public.instances USING btree (environment_id, status);
CREATE INDEX instances_team_created ON public.instances USING btree (team_id, created_at DESC, id DESC);

create table key_rotations (
  id text not null,
  status text not null,
  old_key_id text not null,
  new_key_id text,
  value_count integer not null default 0,
  unreadable_count integer not null default 0,
  requested_by text not null,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint key_rotations_check CHECK (((status = 'finished'::text) = (finished_at IS NOT NULL))),
  constraint key_rotations_status_check CHECK ((status = ANY (ARRAY['preparing'::text, 'resealing'::text, 'removing'::text, 'finished'::text]))),
  constraint key_rotations_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX key_rotations_open ON public.key_rotations USING btree ((true)) WHERE (finished_at IS NULL);

create table layers (
  id text not null,
  team_id text not null,
  app_id text not null,
  name text not null,
  key text not null,
  path text not null,
  size_bytes bigint not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  constraint layers_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint layers_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint layers_pkey PRIMARY KEY (id),
  constraint layers_app_id_key_key UNIQUE (app_id, key)
);

create table master_keys (
  id text not null,
  is_current boolean not null,
  created_at timestamp with time zone not null,
  constraint master_keys_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX master_keys_current ON public.master_keys USING btree (is_current) WHERE is_current;

create table members (
  team_id text not null,
  person_id text not null,
  role text not null,
  created_at timestamp with time zone not null,
  joined_at timestamp with time zone,
  constraint members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'viewer'::text]))),
  constraint members_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) ON DELETE CASCADE,
  constraint members_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id) ON DELETE CASCADE,
  constraint members_pkey PRIMARY KEY (team_id, person_id)
);
CREATE INDEX members_team_created ON public.members USING btree (team_id, created_at DESC, person_id DESC);

create table migrations (
  version integer not null,
  name text not null,
  applied_at timestamp with time zone not null,
  constraint migrations_pkey PRIMARY KEY (version)
);

create table people (
  id text not null,
  name text not null,
  created_at timestamp with time zone not null,
  constraint people_pkey PRIMARY KEY (id)
);

create table platform (
  name text not null,
  value text not null,
  constraint platform_pkey PRIMARY KEY (name)
);

create table ports (
  port integer not null,
  instance_id text,
  free_after timestamp with time zone,
  constraint ports_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  constraint ports_pkey PRIMARY KEY (port)
);

create table pushes (
  id text not null,
  team_id text not null,
  repository_id text not null,
  ref text not null,
  old_sha text not null,
  new_sha text not null,
  status text not null,
  options text[] not null default '{}'::text[],
  created_by text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint pushes_status_check CHECK ((status = ANY (ARRAY['received'::text, 'accepted'::text, 'rejected'::text, 'reverting'::text, 'reverted'::text]))),
  constraint pushes_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id),
  constraint pushes_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint pushes_pkey PRIMARY KEY (id)
);
CREATE INDEX pushes_open ON public.pushes USING btree (created_at) WHERE (status = ANY (ARRAY['received'::text, 'reverting'::text]));

create table releases (
  id text not null,
  team_id text not null,
  app_id text not null,
  environment_id text not null,
  version integer not null,
  artifact_id text not null,
  config_id text,
  process_types jsonb not null,
  commit_sha text,
  rollback_of integer,
  reason text not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  constraint releases_reason_check CHECK ((reason = ANY (ARRAY['deploy'::text, 'config'::text, 'rollback'::text]))),
  constraint releases_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint releases_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifacts(id),
  constraint releases_config_id_fkey FOREIGN KEY (config_id) REFERENCES configs(id),
  constraint releases_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id) ON DELETE CASCADE,
  constraint releases_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint releases_pkey PRIMARY KEY (id),
  constraint releases_environment_id_version_key UNIQUE (environment_id, version)
);
CREATE INDEX releases_app_created ON public.releases USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX releases_artifact ON public.releases USING btree (artifact_id);
CREATE INDEX releases_environment_created ON public.releases USING btree (environment_id, created_at DESC, id DESC);
CREATE INDEX releases_team_created ON public.releases USING btree (team_id, created_at DESC, id DESC);

create table repositories (
  id text not null,
  team_id text not null,
  created_at timestamp with time zone not null,
  constraint repositories_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint repositories_pkey PRIMARY KEY (id)
);

create table routers (
  id text not null,
  acknowledged_revision bigint not null,
  lease_until timestamp with time zone not null,
  constraint routers_pkey PRIMARY KEY (id)
);

create table routes (
  environment_id text not null,
  revision bigint not null,
  boot_id text not null,
  entry jsonb,
  constraint routes_pkey PRIMARY KEY (environment_id)
);
CREATE INDEX routes_revision ON public.routes USING btree (revision);

create table sources (
  id text not null,
  team_id text not null,
  app_id text not null,
  commit_sha text not null,
  size_bytes bigint not null,
  file_count integer not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  constraint sources_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint sources_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint sources_pkey PRIMARY KEY (id)
);

create table teams (
  id text not null,
  name text not null,
  created_at timestamp with time zone not null,
  constraint teams_pkey PRIMARY KEY (id),
  constraint teams_name_key UNIQUE (name)
);

create table tokens (
  id text not null,
  team_id text not null,
  person_id text not null,
  app_id text,
  name text not null,
  prefix text not null,
  hash bytea not null,
  scopes text[] not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  is_invitation boolean not null default false,
  constraint tokens_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint tokens_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id),
  constraint tokens_team_id_fkey FOREIGN KEY (team_id) REFERENCES teams(id),
  constraint tokens_pkey PRIMARY KEY (id),
  constraint tokens_hash_key UNIQUE (hash)
);
CREATE INDEX tokens_person ON public.tokens USING btree (person_id);
CREATE INDEX tokens_team_created ON public.tokens USING btree (team_id, created_at DESC, id DESC);

create table work (
  kind text not null,
  subject text not null,
  run_at timestamp with time zone not null,
  requested bigint not null default 1,
  fence bigint,
  lease_until timestamp with time zone,
  leased_by text,
  attempts integer not null default 0,
  last_error text,
  constraint work_pkey PRIMARY KEY (kind, subject)
);
CREATE INDEX work_due ON public.work USING btree (kind, run_at) WHERE (lease_until IS NULL);
CREATE INDEX work_leased ON public.work USING btree (lease_until) WHERE (lease_until IS NOT NULL);

CREATE OR REPLACE FUNCTION public.keep_audit_events()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' and old.created_at < now() - interval '399 days' then
    return old;
  end if;
  raise exception 'audit events are never changed';
end
$function$
;

CREATE TRIGGER keep_audit_events BEFORE DELETE OR UPDATE ON public.audit_events FOR EACH ROW EXECUTE FUNCTION keep_audit_events();

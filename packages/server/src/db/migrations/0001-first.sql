-- Every table that holds a team's things has team_id, and every store query names it. Ids are made by the program
-- (kernel/ids.ts). Times are UTC. Nothing here holds a secret in the clear.

create table teams (
  id text primary key,
  name text not null unique,
  created_at timestamptz not null
);

create table people (
  id text primary key,
  name text not null,
  created_at timestamptz not null
);

create table members (
  team_id text not null references teams on delete cascade,
  person_id text not null references people on delete cascade,
  role text not null check (role in ('owner', 'admin', 'developer', 'viewer')),
  created_at timestamptz not null,
  primary key (team_id, person_id)
);

create table repositories (
  id text primary key,
  team_id text not null references teams,
  created_at timestamptz not null
);

-- One uid of the local engine for an app's instances and another for its builds; never reused.
create sequence uids as integer minvalue 200000 maxvalue 2000000000 no cycle;

create table apps (
  id text primary key,
  team_id text not null references teams,
  repository_id text not null references repositories,
  name text not null,
  root text not null default '',
  branch text not null default 'main',
  run_uid integer not null default nextval('uids'),
  build_uid integer not null default nextval('uids'),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- set by DELETE; the app is gone for everybody but the work that takes it down
  deleted_at timestamptz
);
create unique index apps_name on apps (name) where deleted_at is null;
create index apps_team_created on apps (team_id, created_at desc, id desc) where deleted_at is null;
create index apps_repository on apps (repository_id);

create table environments (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  name text not null,
  -- instances by process type; a type that is absent has its default (web 1, others 0)
  scale jsonb not null default '{}',
  -- the newest config of each kind; null: none set yet
  config_id text,
  build_config_id text,
  last_release_version integer not null default 0,
  -- what the running loop works towards, and what the router serves
  desired_release_id text,
  live_release_id text,
  -- `restart` raises it: instances of a lower generation are replaced
  generation integer not null default 1,
  -- why the desired release does not come up: {release_id, code, message}; cleared with every new desired release
  rollout_error jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- set by DELETE; the environment is gone for everybody but the work that takes it down
  deleted_at timestamptz
);
create unique index environments_name on environments (app_id, name) where deleted_at is null;
create index environments_team_created on environments (team_id, created_at desc, id desc) where deleted_at is null;

-- A version of an environment's variables; every version holds all of them.
create table configs (
  id text primary key,
  team_id text not null references teams,
  environment_id text not null references environments on delete cascade,
  kind text not null check (kind in ('run', 'build')),
  version integer not null,
  created_by text not null,
  created_at timestamptz not null,
  unique (environment_id, kind, version)
);

create table config_values (
  config_id text not null references configs on delete cascade,
  name text not null,
  -- AES-256-GCM (access/secret-box.ts), bound to the environment and the name
  ciphertext bytea,
  -- or what a binding provides, looked up when an instance starts
  reference text,
  primary key (config_id, name),
  check ((ciphertext is null) <> (reference is null))
);

create table tokens (
  id text primary key,
  team_id text not null references teams,
  person_id text not null references people,
  app_id text references apps on delete cascade,
  name text not null,
  -- the first characters, to recognise it by
  prefix text not null,
  -- SHA-256 of the token: 32 random bytes need no slow hash
  hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index tokens_team_created on tokens (team_id, created_at desc, id desc);

-- A ref update as received: written before git updates the ref, compared with the refs at start.
create table pushes (
  id text primary key,
  team_id text not null references teams,
  repository_id text not null references repositories,
  ref text not null,
  old_sha text not null,
  new_sha text not null,
  status text not null check (status in ('received', 'accepted', 'rejected', 'reverted')),
  -- push options the client sent
  options text[] not null default '{}',
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index pushes_open on pushes (created_at) where status = 'received';

-- An uploaded tree, kept as a commit under refs/gantry/sources/<id>.
create table sources (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  commit_sha text not null,
  size_bytes bigint not null,
  file_count integer not null,
  created_by text not null,
  created_at timestamptz not null
);

create table layers (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  name text not null,
  key text not null,
  path text not null,
  size_bytes bigint not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  unique (app_id, key)
);

create table artifacts (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  kind text not null check (kind in ('slug', 'image')),
  digest text not null,
  -- slug: the app layer's folder; image: its reference by digest
  location text not null,
  -- read-only folders the app sees: name → layer id
  layers jsonb not null default '{}',
  -- {web: {command, overlap}, …}
  process_types jsonb not null,
  run_env jsonb not null default '{}',
  size_bytes bigint not null,
  created_at timestamptz not null,
  -- when a build or a release last took it: what is fresh is not collected
  last_used_at timestamptz not null default now(),
  -- set by retention before its folder is removed; the row stays for the releases that name it
  removed_at timestamptz
);
create unique index artifacts_digest on artifacts (app_id, digest) where removed_at is null;

-- Every folder that a build makes: the row is written before the folder and goes after it. Nothing else is ever deleted.
create table build_folders (
  path text primary key,
  team_id text not null,
  app_id text not null,
  build_id text not null,
  kind text not null check (kind in ('workspace', 'layer', 'artifact')),
  -- the layer's or artifact's id, and what it is made for: a build that goes on after a crash finds its folder by it
  subject_id text not null,
  key text not null,
  created_at timestamptz not null,
  unique (build_id, kind, key)
);
create index build_folders_app on build_folders (app_id);

create table builds (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  environment_id text not null references environments on delete cascade,
  commit_sha text not null,
  status text not null check (status in ('queued', 'building', 'succeeded', 'failed', 'cancelled')),
  builder text,
  artifact_id text references artifacts,
  error_code text,
  error_message text,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- set by retention when its log is gone
  log_removed_at timestamptz
);
create index builds_app_created on builds (app_id, created_at desc, id desc);
create index builds_team_created on builds (team_id, created_at desc, id desc);

create table releases (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  environment_id text not null references environments on delete cascade,
  version integer not null,
  artifact_id text not null references artifacts,
  config_id text references configs,
  process_types jsonb not null,
  commit_sha text,
  -- `v7` made from `v5`
  rollback_of integer,
  reason text not null check (reason in ('deploy', 'config', 'rollback')),
  created_by text not null,
  created_at timestamptz not null,
  unique (environment_id, version)
);
create index releases_team_created on releases (team_id, created_at desc, id desc);
create index releases_app_created on releases (app_id, created_at desc, id desc);
create index releases_environment_created on releases (environment_id, created_at desc, id desc);
create index releases_artifact on releases (artifact_id);

alter table environments
  add foreign key (config_id) references configs,
  add foreign key (build_config_id) references configs,
  add foreign key (desired_release_id) references releases,
  add foreign key (live_release_id) references releases;

create table deploys (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  environment_id text not null references environments on delete cascade,
  -- what started it
  kind text not null check (kind in ('push', 'upload', 'commit', 'config', 'rollback')),
  status text not null check (status in ('queued', 'building', 'waiting', 'releasing', 'rolling_out', 'watching',
    'live', 'failed', 'cancelled', 'superseded', 'rolled_back')),
  -- why it waits, for status waiting and queued
  wait_reason text,
  commit_sha text,
  source_id text references sources,
  push_id text references pushes,
  build_id text references builds,
  release_id text references releases,
  -- what was live when this one began to roll out: what it goes back to
  previous_release_id text references releases,
  -- for kind rollback: the config that it replaced, put back when it does not go live
  previous_config_id text references configs,
  -- for kind rollback: the release to go back to, and whether the environment keeps its config
  rollback_to text references releases,
  keep_config boolean not null default false,
  retry_of text references deploys,
  superseded_by text references deploys,
  error_code text,
  error_message text,
  cancel_requested_at timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz
);
create index deploys_environment_created on deploys (environment_id, created_at desc, id desc);
create index deploys_team_created on deploys (team_id, created_at desc, id desc);
create index deploys_app_created on deploys (app_id, created_at desc, id desc);
create index deploys_release on deploys (release_id);
create index deploys_superseded_by on deploys (superseded_by) where superseded_by is not null;
create index deploys_open on deploys (environment_id)
  where status not in ('live', 'failed', 'cancelled', 'superseded', 'rolled_back');

create table deploy_events (
  id bigint generated always as identity primary key,
  deploy_id text not null references deploys on delete cascade,
  team_id text not null,
  at timestamptz not null,
  from_status text,
  to_status text not null,
  message text not null
);
create index deploy_events_deploy on deploy_events (deploy_id, id);

create table instances (
  id text primary key,
  team_id text not null references teams,
  app_id text not null references apps on delete cascade,
  environment_id text not null references environments on delete cascade,
  release_id text not null references releases,
  process_type text not null,
  slot integer not null,
  generation integer not null,
  -- the intent is written before the engine is asked
  status text not null check (status in ('starting', 'healthy', 'unhealthy', 'draining', 'stopping', 'ended')),
  address jsonb,
  -- crashes in a row in this slot, this instance's predecessors included: the back-off's exponent
  crashes integer not null default 0,
  -- in words: `exit code 1`, `signal SIGKILL`, `not healthy within 60 s`
  end_reason text,
  failed_checks integer not null default 0,
  created_at timestamptz not null,
  started_at timestamptz,
  healthy_at timestamptz,
  draining_at timestamptz,
  drain_revision bigint,
  ended_at timestamptz
);
create index instances_environment on instances (environment_id, status);
create index instances_team_created on instances (team_id, created_at desc, id desc);

create table ports (
  port integer primary key,
  -- taken before the instance's row is written, in the same transaction
  instance_id text references instances on delete set null deferrable initially deferred,
  -- quarantine after use
  free_after timestamptz
);

-- The routing table: one row an environment, and tombstones so that a router can be told what is gone.
create sequence routing_revisions;
create table routes (
  environment_id text primary key,
  revision bigint not null,
  -- of the machine whose addresses these are; after another boot they may be anybody's
  boot_id text not null,
  -- null: removed
  entry jsonb
);
create index routes_revision on routes (revision);

create table routers (
  id text primary key,
  acknowledged_revision bigint not null,
  lease_until timestamptz not null
);

-- Durable work: what has to be done next, at most one row a subject and kind. See work/work.ts.
create sequence fences;
create table work (
  kind text not null,
  subject text not null,
  run_at timestamptz not null,
  -- raised by every `enqueue`; a finished run removes the row only if nobody asked again meanwhile
  requested bigint not null default 1,
  fence bigint,
  lease_until timestamptz,
  leased_by text,
  attempts integer not null default 0,
  last_error text,
  primary key (kind, subject)
);
create index work_due on work (kind, run_at) where lease_until is null;
create index work_leased on work (lease_until) where lease_until is not null;

-- Replays of POST requests, kept a day.
create table idempotency_keys (
  token_id text not null,
  operation text not null,
  key text not null,
  fingerprint bytea not null,
  status integer,
  headers jsonb,
  body jsonb,
  created_at timestamptz not null,
  primary key (token_id, operation, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

create table audit_events (
  id bigint generated always as identity primary key,
  team_id text not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  object text not null,
  outcome text not null check (outcome in ('allowed', 'refused')),
  request_id text
);
create index audit_events_at on audit_events (at);

-- Facts about this installation: routing epoch, key check value, name of the schema's breaking version.
create table platform (
  name text primary key,
  value text not null
);

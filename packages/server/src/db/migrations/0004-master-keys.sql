-- The master key can be rotated: until all is sealed anew, what two keys have sealed stands side by side.
create table master_keys (
  -- what ciphertexts name in their header (access/secret-box.ts); reveals nothing of the key
  id text primary key,
  -- seals what is written now; the others are only read with
  is_current boolean not null,
  created_at timestamptz not null
);
create unique index master_keys_current on master_keys (is_current) where is_current;
insert into master_keys select value, true, now() from platform where name = 'master_key_id';
delete from platform where name = 'master_key_id';

-- Which key a value needs, out of its header. A key that is no longer here seals nothing, however late its user notices.
-- Not validated: what no key ever opened keeps nobody from starting.
alter table config_values
  add column key_id text generated always as (nullif(encode(substring(ciphertext from 2 for 8), 'hex'), '')) stored,
  add constraint config_values_key_id_fkey foreign key (key_id) references master_keys not valid;
create index config_values_key on config_values (key_id, config_id, name);

create table key_rotations (
  id text primary key,
  status text not null check (status in ('preparing', 'resealing', 'removing', 'finished')),
  old_key_id text not null,
  -- named before its file is made
  new_key_id text,
  -- values to seal anew when the new key took over, and those that the old key does not open
  value_count integer not null default 0,
  unreadable_count integer not null default 0,
  requested_by text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  check ((status = 'finished') = (finished_at is not null))
);
-- two at once are one
create unique index key_rotations_open on key_rotations ((true)) where finished_at is null;

-- a token that permitted everything goes on doing so
update tokens set scopes = scopes || '{key:rotate}' where cardinality(scopes) = 30;

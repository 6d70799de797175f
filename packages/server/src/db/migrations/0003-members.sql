-- People come into a team by one-time invitations. An invitation is a token that makes one token and is revoked by it.
alter table members add column joined_at timestamptz;
update members set joined_at = created_at;
create index members_team_created on members (team_id, created_at desc, person_id desc);

alter table tokens add column is_invitation boolean not null default false;
create index tokens_person on tokens (person_id);
-- a token that permitted everything goes on doing so
update tokens set scopes = scopes || '{member:read,member:create,member:update,member:delete,audit:read}'
  where cardinality(scopes) = 25;

alter table audit_events alter column id drop identity;
alter table audit_events
  alter column id type text using 'aud-' || lpad(id::text, 26, '0'),
  -- where the request came from, as the server saw it
  add column address text;
alter table audit_events rename column at to created_at;
create index audit_events_team_created on audit_events (team_id, created_at desc, id desc);

-- Nobody changes what was recorded, and only what is old goes.
create function keep_audit_events() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.created_at < now() - interval '399 days' then
    return old;
  end if;
  raise exception 'audit events are never changed';
end
$$;
create trigger keep_audit_events before update or delete on audit_events for each row execute function keep_audit_events();

-- A push whose ref is being put back: written before the ref moves, settled at start like one that is being received.
alter table pushes
  drop constraint pushes_status_check,
  add constraint pushes_status_check check (status in ('received', 'accepted', 'rejected', 'reverting', 'reverted'));
drop index pushes_open;
create index pushes_open on pushes (created_at) where status in ('received', 'reverting');

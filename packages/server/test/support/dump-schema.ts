import type { Queryable } from '../../src/db/database.ts'

/**
 * The schema as text, read from the catalog and in a fixed order, so that a change of it shows in review. It describes;
 * it is never executed.
 */
export async function dumpSchema(db: Queryable): Promise<string> {
  const parts: string[] = ['-- Made by `npm run schema` from the migrations. Not executed by anything.']
  for (const { text } of await db.query<{ text: string }>(sequencesSql)) parts.push(text)
  for (const table of await db.query<{ oid: number; name: string }>(tablesSql)) {
    const lines = await db.query<{ text: string }>(columnsSql, [table.oid])
    const constraints = await db.query<{ text: string }>(constraintsSql, [table.oid])
    const body = [...lines, ...constraints].map((line) => `  ${line.text}`).join(',\n')
    const indexes = await db.query<{ text: string }>(indexesSql, [table.oid])
    parts.push([`create table ${table.name} (\n${body}\n);`, ...indexes.map((index) => `${index.text};`)].join('\n'))
  }
  for (const { text } of await db.query<{ text: string }>(routinesSql)) parts.push(`${text};`)
  return `${parts.join('\n\n')}\n`
}

/** Sequences of identity columns are their columns' own. */
const sequencesSql = `
  select format('create sequence %I as %s minvalue %s maxvalue %s%s;', c.relname, format_type(s.seqtypid, null),
      s.seqmin, s.seqmax, case when s.seqcycle then ' cycle' else '' end) as text
  from pg_sequence s join pg_class c on c.oid = s.seqrelid
  where c.relnamespace = 'public'::regnamespace
    and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'i')
  order by c.relname collate "C"`

const tablesSql = `
  select oid::int as oid, quote_ident(relname) as name from pg_class
  where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by relname collate "C"`

const columnsSql = `
  select concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then ' not null' end,
      case when a.attidentity <> '' then ' generated always as identity' end,
      case when a.attgenerated = '' then ' default ' || pg_get_expr(d.adbin, d.adrelid)
        else format(' generated always as (%s) stored', pg_get_expr(d.adbin, d.adrelid)) end) as text
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`

/** NOT NULL is said with the column; from version 18 it is a constraint as well. */
const constraintsSql = `
  select format('constraint %I %s', conname, pg_get_constraintdef(oid)) as text
  from pg_constraint where conrelid = $1 and contype <> 'n' order by contype, conname collate "C"`

const indexesSql = `
  select pg_get_indexdef(i.indexrelid) as text from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1 and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
  order by c.relname collate "C"`

const routinesSql = `
  select text from (
    select 1 as rank, proname::text as name, pg_get_functiondef(oid) as text from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 2, tgname::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 3, relname::text, 'create view ' || quote_ident(relname) || ' as ' || pg_get_viewdef(oid) from pg_class
      where relkind = 'v' and relnamespace = 'public'::regnamespace
  ) things order by rank, name collate "C"`

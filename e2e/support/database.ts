import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { askLifecycle } from './lifecycle.ts'
import type { Platform } from './platform.ts'

/** A connection to the platform's own database, as the control plane has it. */
export async function connectDatabase(platform: Platform): Promise<pg.Client> {
  const password = (await readFile(join(platform.home, 'keys/database-password'), 'utf8')).trim()
  const host = join(platform.home, 'run/postgres')
  const client = new pg.Client({ host, user: 'gantry', database: 'gantry', password, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined) // the server may be killed under it
  await client.connect()
  return client
}

/** Every process of the platform's PostgreSQL, the first of all in front. */
export async function databasePids(platform: Platform): Promise<number[]> {
  const { programs } = await askLifecycle(platform.home)
  const postmaster = programs.find((program) => program.name === 'postgres')?.pid
  if (!postmaster) throw new Error('the database does not run')
  const children: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    if (parent === postmaster) children.push(Number(name))
  }
  return [postmaster, ...children]
}

/** The platform's own rows, read beside it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'

export interface PlatformRows {
  /** Rejects while the server does not answer. */
  query<Row extends object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export async function openPlatformRows(home: string): Promise<PlatformRows> {
  const password = (await readFile(join(home, 'keys/database-password'), 'utf8')).trim()
  const host = join(home, 'run/postgres')
  let client: Promise<pg.Client> | undefined
  const connect = async () => {
    const fresh = new pg.Client({ host, user: 'gantry', password, database: 'gantry' })
    fresh.on('error', () => {
      client = undefined
    })
    await fresh.connect()
    return fresh
  }
  return {
    async query<Row extends object>(sql: string, parameters: readonly unknown[] = []) {
      client ??= connect()
      try {
        const { rows } = await (await client).query<Row>(sql, [...parameters])
        return rows
      } catch (error) {
        const broken = client
        client = undefined
        void broken?.then((it) => it.end()).catch(() => undefined)
        throw error
      }
    },
    async close() {
      await (await client?.catch(() => undefined))?.end()
    },
  }
}

import { randomBytes } from 'node:crypto'
import type { Permission } from '@gantry/api'
import { type Access, createAccess, createSecretBox, type Owner, type Role } from '../../src/access/index.ts'
import type { Database } from '../../src/db/database.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { type AppId, createIds, type NewId, type PersonId, type TeamId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { hashSecretToken, newSecretToken, prefixOfSecretToken } from '../../src/kernel/secret-token.ts'

export const newId: NewId = createIds(Date.now, randomBytes)

/** What seals config in tests, with a master key that every database of `createTestAccess` knows. */
export const testMasterKey: Uint8Array = Buffer.alloc(32, 'test')
export const testSecrets = createSecretBox(testMasterKey, randomBytes)

export interface TestAccess {
  readonly access: Access
  readonly owner: Owner
  /** The owner's token. */
  readonly token: string
  /** `Bearer …` of the owner. */
  readonly bearer: string
}

/** Access over a test database, with its team, owner and the owner's token. */
export async function createTestAccess(
  db: Database,
  clock: Clock = systemClock,
  badTokensPerMinute = 60,
): Promise<TestAccess> {
  const access = createAccess({ db, clock, newId, randomBytes, logger: silentLogger, badTokensPerMinute })
  const token = newSecretToken(randomBytes)
  const owner = await access.ensureOwner(token)
  await db.query('insert into master_keys values ($1, true, now()) on conflict do nothing', [testSecrets.keyId])
  return { access, owner, token, bearer: `Bearer ${token}` }
}

export interface TokenWishes {
  readonly teamId: TeamId
  readonly role?: Role
  readonly personId?: PersonId
  readonly appId?: AppId
  readonly scopes: readonly Permission[]
  readonly expiresAt?: Date
  readonly revokedAt?: Date
}

/** A token straight into its table, with a new person of the wanted role unless one is given. */
export async function insertTestToken(db: Database, wishes: TokenWishes): Promise<string> {
  const token = newSecretToken(randomBytes)
  const personId = wishes.personId ?? newId('person')
  if (wishes.personId === undefined) {
    await db.query('insert into people values ($1, $2, now())', [personId, wishes.role ?? 'viewer'])
    await db.query('insert into members values ($1, $2, $3, now())', [wishes.teamId, personId, wishes.role ?? 'viewer'])
  }
  await db.query(
    `insert into tokens (id, team_id, person_id, app_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at)
     values ($1, $2, $3, $4, 'test', $5, $6, $7, now(), $8, $9)`,
    [
      newId('token'),
      wishes.teamId,
      personId,
      wishes.appId ?? null,
      prefixOfSecretToken(token),
      hashSecretToken(token),
      wishes.scopes,
      wishes.expiresAt ?? null,
      wishes.revokedAt ?? null,
    ],
  )
  return token
}

/** A second team with an owner of its own: the neighbour who must see nothing. */
export async function insertTestTeam(db: Database, name: string): Promise<TeamId> {
  const id = newId('team')
  await db.query('insert into teams values ($1, $2, now())', [id, name])
  return id
}

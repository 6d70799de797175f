import { UserError } from '../kernel/errors.ts'
import { createRateLimit, tooMany } from '../kernel/rate-limit.ts'
import { hashSecretToken, isSecretToken } from '../kernel/secret-token.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Principal } from './principal.ts'
import { isUsable, type UsableToken } from './token.ts'
import { setLastUsed, tokenByHash } from './token-store.ts'

/** Which schemes of the header `Authorization` count: git knows Basic only, where the password is the token. */
export type AuthenticationScheme = 'bearer' | 'bearer_or_basic'

export interface Credentials {
  readonly authorization: string | undefined
  /** Where they come from, as the socket tells. Absent: they were good before, and nobody is guessing. */
  readonly address?: string | undefined
}

export interface Authenticator {
  /**
   * The principal of an `Authorization` header. Throws `unauthenticated`, the same for every reason, and `rate_limited` to an
   * address that has sent many tokens that do not work. A right token passes however many wrong ones came from there.
   */
  authenticate(credentials: Credentials, scheme?: AuthenticationScheme): Promise<Principal>
  /** Forgets what was looked up, so that a change counts at once. */
  forget(): void
}

/** How long a looked-up token is believed: what a revocation in another process takes at most. */
const believedMs = 1000
const lastUsedEveryMs = 60_000
const mostRemembered = 1000

interface Remembered {
  readonly row: UsableToken
  readonly atMs: number
}

export function createAuthenticator(
  deps: Pick<AccessDeps, 'db' | 'clock' | 'logger' | 'badTokensPerMinute'>,
): Authenticator {
  const badTokens = createRateLimit(deps.clock, deps.badTokensPerMinute ?? 60)
  const remembered = new Map<string, Remembered>()
  const lastUsedMs = new Map<string, number>()

  const lookUp = async (hash: Buffer): Promise<UsableToken | undefined> => {
    const key = hash.toString('base64')
    const known = remembered.get(key)
    if (known && deps.clock.monotonicMs() - known.atMs < believedMs) return known.row
    remembered.delete(key)
    const atMs = deps.clock.monotonicMs()
    const row = await tokenByHash(deps.db, hash)
    if (remembered.size >= mostRemembered) remembered.clear()
    if (row) remembered.set(key, { row, atMs })
    return row
  }
  const noteUse = (row: UsableToken) => {
    const nowMs = deps.clock.monotonicMs()
    if (nowMs - (lastUsedMs.get(row.id) ?? -lastUsedEveryMs) < lastUsedEveryMs) return
    if (lastUsedMs.size >= mostRemembered) lastUsedMs.clear()
    lastUsedMs.set(row.id, nowMs)
    setLastUsed(deps.db, row.id, deps.clock.now()).catch((error) =>
      deps.logger.warn({ token: row.id, err: error }, 'the last use of a token was not recorded'),
    )
  }
  const refusal = ({ authorization, address }: Credentials): UserError => {
    if (authorization === undefined || address === undefined) return unauthenticated()
    const { isAllowed, resetSeconds } = badTokens.take(address)
    return isAllowed ? unauthenticated() : tooMany('Too many tokens from this address that do not work', resetSeconds)
  }
  return {
    async authenticate(credentials, scheme = 'bearer') {
      const token = tokenIn(credentials.authorization, scheme)
      if (token === undefined || !isSecretToken(token)) throw refusal(credentials)
      const row = await lookUp(hashSecretToken(token))
      if (row === undefined || !isUsable(row, deps.clock.now())) throw refusal(credentials)
      noteUse(row)
      return principalOf(row)
    },
    forget: () => remembered.clear(),
  }
}

/** The token in the header's value; undefined when the header is absent or not understood. */
export function tokenIn(authorization: string | undefined, scheme: AuthenticationScheme): string | undefined {
  const [, name, value] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+) *$/.exec(authorization ?? '') ?? []
  if (value === undefined) return undefined
  if (name?.toLowerCase() === 'bearer') return value
  if (name?.toLowerCase() !== 'basic' || scheme === 'bearer') return undefined
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : text.slice(colon + 1)
}

function principalOf(row: UsableToken): Principal {
  return {
    tokenId: row.id,
    personId: row.person_id,
    personName: row.person_name,
    teamId: row.team_id,
    role: row.role,
    scopes: row.scopes,
    ...(row.app_id ? { appId: row.app_id } : {}),
    ...(row.is_invitation ? { isInvitation: true } : {}),
  }
}

function unauthenticated(): UserError {
  return new UserError(
    'unauthenticated',
    'A valid token is needed: send one as "Authorization: Bearer gantry_…". It may be missing, mistyped, expired or revoked.',
  )
}

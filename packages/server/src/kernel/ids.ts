/**
 * Identifiers: a type prefix and 26 characters of Crockford base32 in lower case (10 of time in ms, 16 of randomness),
 * so that they sort by creation and match the API's identifier pattern `^[-0-9a-z]+$`. The layout is ULID's
 * (https://github.com/ulid/spec); two ids made in the same millisecond have no order.
 */
declare const brand: unique symbol
export type Branded<T, Name extends string> = T & { readonly [brand]: Name }

const idPrefixes = {
  app: 'app',
  artifact: 'art',
  auditEvent: 'aud',
  build: 'bld',
  config: 'cfg',
  deploy: 'dep',
  environment: 'env',
  instance: 'ins',
  keyRotation: 'rot',
  layer: 'lay',
  person: 'per',
  push: 'psh',
  release: 'rel',
  repository: 'rep',
  source: 'src',
  task: 'tsk',
  team: 'tea',
  token: 'tok',
} as const

export type IdKind = keyof typeof idPrefixes
export type AppId = Branded<string, 'AppId'>
export type ArtifactId = Branded<string, 'ArtifactId'>
export type AuditEventId = Branded<string, 'AuditEventId'>
export type BuildId = Branded<string, 'BuildId'>
export type ConfigId = Branded<string, 'ConfigId'>
export type DeployId = Branded<string, 'DeployId'>
export type EnvironmentId = Branded<string, 'EnvironmentId'>
export type InstanceId = Branded<string, 'InstanceId'>
export type KeyRotationId = Branded<string, 'KeyRotationId'>
export type LayerId = Branded<string, 'LayerId'>
export type PersonId = Branded<string, 'PersonId'>
export type PushId = Branded<string, 'PushId'>
export type ReleaseId = Branded<string, 'ReleaseId'>
export type RepositoryId = Branded<string, 'RepositoryId'>
export type SourceId = Branded<string, 'SourceId'>
export type TaskId = Branded<string, 'TaskId'>
export type TeamId = Branded<string, 'TeamId'>
export type TokenId = Branded<string, 'TokenId'>

export type IdOf = {
  app: AppId
  artifact: ArtifactId
  auditEvent: AuditEventId
  build: BuildId
  config: ConfigId
  deploy: DeployId
  environment: EnvironmentId
  instance: InstanceId
  keyRotation: KeyRotationId
  layer: LayerId
  person: PersonId
  push: PushId
  release: ReleaseId
  repository: RepositoryId
  source: SourceId
  task: TaskId
  team: TeamId
  token: TokenId
}

/** Makes ids. Passed in wherever an id is made, so that tests can number them. */
export type NewId = <K extends IdKind>(kind: K) => IdOf[K]

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The id for a moment (ms since 1970) and ten random bytes. */
export function formatId<K extends IdKind>(kind: K, atMs: number, random: Uint8Array): IdOf[K] {
  if (random.length < 10) throw new RangeError('an id needs ten random bytes')
  let time = ''
  let rest = atMs
  for (let i = 0; i < 10; i++) {
    time = alphabet[rest % 32] + time
    rest = Math.floor(rest / 32)
  }
  let tail = ''
  let buffer = 0n
  for (const byte of random.subarray(0, 10)) buffer = (buffer << 8n) | BigInt(byte)
  for (let i = 0; i < 16; i++) {
    tail = alphabet[Number(buffer & 31n)] + tail
    buffer >>= 5n
  }
  return `${idPrefixes[kind]}-${time}${tail}` as IdOf[K]
}

/** Whether text has the form of an id of this kind. Says nothing about existence. */
export function isId<K extends IdKind>(kind: K, text: string): text is IdOf[K] {
  return text.startsWith(`${idPrefixes[kind]}-`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(4))
}

export function createIds(now: () => number, randomBytes: (size: number) => Uint8Array): NewId {
  return (kind) => formatId(kind, now(), randomBytes(10))
}

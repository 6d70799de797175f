/** The story that all examples tell: the app `shop`, whose release v5 is live in production. */
export const baseUrl = 'https://gantry.example.com'

export const ids = {
  app: 'app-01j9zq7c8m4t5v6w7x8y9zabcd',
  production: 'env-01j9zq7c8n4t5v6w7x8y9zabce',
  deploy: 'dep-01j9zq8d9n5v6w7x8y9zabcdef',
  build: 'bld-01j9zq8d9p5v6w7x8y9zabcdeg',
  release: 'rel-01j9zq8d9q5v6w7x8y9zabcdeh',
  earlierRelease: 'rel-01j9zp1a2b3c4d5e6f7g8h9jkm',
  instance: 'ins-01j9zq8d9r5v6w7x8y9zabcdej',
  source: 'src-01j9zq8d9s5v6w7x8y9zabcdek',
  token: 'tok-01j9zq8d9t5v6w7x8y9zabcdem',
  person: 'per-01j9zq6b5k3s4t5v6w7x8y9zab',
  auditEvent: 'aud-01j9zq8d9v5v6w7x8y9zabcden',
} as const

export const commitSha = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d'
export const digest = 'sha256:0f4c1c0e5ed1a6f3a7c9d3b1e2f4a5b6c7d8e9f00112233445566778899aabbc'
export const etag = '"9k2m4x7q1w3e5r8t"'

export const at = {
  created: '2026-08-22T09:30:00.000Z',
  started: '2026-08-22T09:30:00.120Z',
  healthy: '2026-08-22T09:30:00.480Z',
  finished: '2026-08-22T09:30:00.512Z',
} as const

export const appReference = { id: ids.app, name: 'shop', href: `${baseUrl}/v1/apps/${ids.app}` }
export const environmentReference = {
  id: ids.production,
  name: 'production',
  href: `${baseUrl}/v1/environments/${ids.production}`,
}
export const releaseReference = { id: ids.release, name: 'v5', href: `${baseUrl}/v1/releases/${ids.release}` }
export const earlierReleaseReference = {
  id: ids.earlierRelease,
  name: 'v4',
  href: `${baseUrl}/v1/releases/${ids.earlierRelease}`,
}
export const deployReference = { id: ids.deploy, href: `${baseUrl}/v1/deploys/${ids.deploy}` }
export const buildReference = { id: ids.build, href: `${baseUrl}/v1/builds/${ids.build}` }
export const sourceReference = { id: ids.source, href: `${baseUrl}/v1/sources/${ids.source}` }

/** A page that holds one resource and is the only one. */
export function onlyPage<Key extends string, Item extends object>(path: string, key: Key, item: Item, limit = 50) {
  const join = path.includes('?') ? '&' : '?'
  return { [key]: [item], limit, first: { href: `${baseUrl}${path}${join}limit=${limit}` } }
}

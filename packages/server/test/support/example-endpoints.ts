import { createApp, createSource, getApp, listApps, streamDeployLog, updateApp } from '@gantry/api'
import { type BoundEndpoint, bind } from '../../src/access/index.ts'
import { checkIfMatch, withEntityTag } from '../../src/kernel/entity-tag.ts'

/** An app as the contract has it. */
export const exampleApp = (baseUrl: string, name = 'shop') =>
  withEntityTag({
    id: 'app-01j9zq7c8m4t5v6w7x8y9zabcd',
    href: `${baseUrl}/v1/apps/app-01j9zq7c8m4t5v6w7x8y9zabcd`,
    name,
    git_url: `${baseUrl}/git/${name}.git`,
    branch: 'main',
    root: '',
    created_at: '2026-08-22T09:30:00.000Z',
    updated_at: '2026-08-22T09:30:00.000Z',
  })

/** What the example handlers were given, and levers that they obey. */
export interface Seen {
  created: number
  uploaded: string
  gate: Promise<void> | undefined
  fail: unknown
  streamed: { signal?: AbortSignal; lastEventId?: string | undefined }
}

export interface ExampleEndpoints {
  readonly seen: Seen
  readonly handlers: readonly BoundEndpoint[]
}

/** Handlers for some operations, one of each form, that need no room. */
export function createExampleEndpoints(): ExampleEndpoints {
  const seen: Seen = { created: 0, uploaded: '', gate: undefined, fail: undefined, streamed: {} }
  const handlers = [
    bind(listApps, ({ query, baseUrl }) => {
      if (seen.fail) throw seen.fail
      return {
        apps: [exampleApp(baseUrl)],
        limit: query.limit,
        first: { href: `${baseUrl}/v1/apps?limit=${query.limit}` },
      }
    }),
    bind(createApp, async ({ body, baseUrl }) => {
      await seen.gate
      seen.created++
      if (seen.fail) throw seen.fail
      return exampleApp(baseUrl, body.name)
    }),
    bind(getApp, ({ baseUrl }) => exampleApp(baseUrl)),
    bind(updateApp, ({ headers, baseUrl }) => {
      checkIfMatch(headers.ifMatch, exampleApp(baseUrl).etag)
      return exampleApp(baseUrl)
    }),
    bind(createSource, async ({ upload, baseUrl }) => {
      for await (const chunk of upload) seen.uploaded += chunk
      return withEntityTag({
        id: 'src-01j9zq7c8m4t5v6w7x8y9zabcd',
        href: `${baseUrl}/v1/sources/src-01j9zq7c8m4t5v6w7x8y9zabcd`,
        app: { id: 'app-01j9zq7c8m4t5v6w7x8y9zabcd', name: 'shop', href: `${baseUrl}/v1/apps/app-1` },
        commit_sha: 'a'.repeat(40),
        size_bytes: seen.uploaded.length,
        file_count: 1,
        created_at: '2026-08-22T09:30:00.000Z',
      })
    }),
    bind(streamDeployLog, async ({ signal, headers }) => {
      seen.streamed = { signal, lastEventId: headers.lastEventId }
      return lines(signal)
    }),
  ]
  return { seen, handlers }
}

async function* lines(signal: AbortSignal) {
  const data = { id: '00000001-0', at: '2026-08-22T09:30:00.000Z', source: 'deploy', message: 'a\nb' }
  yield { event: 'log', id: data.id, data } as const
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

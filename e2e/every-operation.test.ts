import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Endpoint, endpoints } from '@gantry/api'
import { createResponseValidator } from '../packages/server/test/support/validate-responses.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'

/** Every operation on a real platform with a real app, each reply held to the document. */

let platform: Platform
let token: string
const ids = new Map<string, string>()
const replies = createResponseValidator({ recordTo: process.env.GANTRY_RECORD_REPLIES })

before(async () => {
  platform = await startPlatform()
  token = await platform.token()
  const project = await createProject(platform, 'shop', anApp('one'))
  assert.equal((await project.push()).exitCode, 0)
  const uploaded = await platform.gantry(['deploy'], { cwd: project.folder })
  assert.equal(uploaded.exitCode, 0, uploaded.output)
  ids.set('apps', 'shop').set('environments', 'shop')
  for (const noun of ['builds', 'deploys', 'releases', 'instances', 'tokens', 'members']) {
    const { body } = await platform.api<Record<string, { id: string; source?: { id: string } }[]>>('GET', `/v1/${noun}`)
    const [first] = body[noun] ?? []
    assert.ok(first, noun)
    ids.set(noun, first.id)
    if (first.source) ids.set('sources', first.source.id)
  }
})
after(() => platform.destroy())

interface Asked {
  readonly endpoint: Endpoint
  readonly id?: string | undefined
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends, holds the reply to the document, and returns it. Of an endless stream only the beginning is read. */
async function send({ endpoint, id, query = '', headers = {}, body }: Asked): Promise<Response> {
  const noun = endpoint.path.split('/')[2] ?? ''
  const path = endpoint.path.replace('{id}', id ?? ids.get(noun) ?? '') + query
  const bearer = { authorization: `Bearer ${token}` }
  const stop = new AbortController()
  const response = await fetch(platform.apiUrl + path, {
    method: endpoint.method,
    headers: { ...bearer, ...headers },
    signal: stop.signal,
    ...(body !== undefined && { body }),
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const text = isStream ? '' : await response.text()
  const { status, headers: answered } = response
  replies.check({ method: endpoint.method, path, status, headers: answered, body: isStream ? undefined : text })
  stop.abort()
  return response
}

/** A body that is right in form, so that what is asked for is found out: the contract's own example. */
function withBody(endpoint: Endpoint): Pick<Asked, 'body' | 'headers'> {
  if (!endpoint.body) return {}
  const headers = { 'content-type': endpoint.body.mediaType }
  return { headers, body: 'example' in endpoint.body ? JSON.stringify(endpoint.body.example) : '' }
}

const reading = endpoints.filter((endpoint) => endpoint.method === 'GET')
const nowhere = 'app-00000000000000000000000000'

for (const endpoint of reading as readonly Endpoint[]) {
  test(`${endpoint.operationId} answers as documented`, async () => {
    const found = await send({ endpoint })
    assert.equal(found.status, 200)
    const etag = found.headers.get('etag')
    if (endpoint.conditional === 'if_none_match') {
      assert.ok(etag)
      assert.equal((await send({ endpoint, headers: { 'if-none-match': etag } })).status, 304)
    }
    assert.equal((await send({ endpoint, query: '?nonsense=1' })).status, 400)
    assert.equal((await send({ endpoint, headers: { accept: 'image/png' } })).status, 406)
  })
}

for (const endpoint of endpoints as readonly Endpoint[]) {
  test(`${endpoint.operationId} refuses as documented`, async () => {
    const plain = withBody(endpoint)
    const anonymous = { ...plain.headers, authorization: 'Bearer gantry_nobody' }
    assert.equal((await send({ endpoint, ...plain, headers: anonymous })).status, 401)
    const long = `?x=${'y'.repeat(8100)}`
    assert.equal((await send({ endpoint, ...plain, query: long })).status, 414)
    if (endpoint.path.includes('{id}')) {
      assert.equal((await send({ endpoint, id: nowhere, ...plain })).status, 404)
    }
    if (endpoint.body) {
      const query = 'maxBytes' in endpoint.body ? '?app_id=shop' : ''
      const wrong = await send({ endpoint, id: nowhere, query, headers: { 'content-type': 'text/csv' }, body: 'a,b' })
      assert.equal(wrong.status, 415)
    }
  })
}

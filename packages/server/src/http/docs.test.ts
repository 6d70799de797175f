import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { errorCatalogue, errorCodes } from '@gantry/api'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import { openReferenceScript, type ReferenceScript } from './reference-script.ts'

describe('the pages', () => {
  let server: TestServer
  let referenceScript: ReferenceScript
  before(async () => {
    referenceScript = await openReferenceScript()
    server = await startTestServer({ referenceScript })
  })
  after(async () => {
    await server.close()
    await referenceScript.close()
  })
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { headers, redirect: 'manual' })

  it('name nothing that is elsewhere, and run only what is theirs', async () => {
    for (const path of ['/docs', '/docs/errors', '/docs/errors/name_taken']) {
      const reply = await get(path)
      const html = await reply.text()
      assert.equal(reply.status, 200, path)
      assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//, path)
      const policy = reply.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; /)
      assert.doesNotMatch(policy, /https?:|\*|script-src[^;]*unsafe/)
      const nonces = [...html.matchAll(/nonce="([^"]+)"/g)].map(([, nonce]) => nonce)
      assert.ok(nonces.length > 0 && nonces.every((nonce) => policy.includes(`'nonce-${nonce}'`)), path)
    }
    const [one, two] = await Promise.all([get('/docs'), get('/docs')])
    assert.notEqual(one.headers.get('content-security-policy'), two.headers.get('content-security-policy'))
  })

  it('serve the whole script of the API reference, from here', async () => {
    const zipped = await get('/docs/reference.js', { 'accept-encoding': 'gzip' })
    assert.equal(zipped.headers.get('content-encoding'), 'gzip')
    const text = await zipped.text()
    assert.equal(await (await get('/docs/reference.js', { 'accept-encoding': 'identity' })).text(), text)
    assert.ok(text.startsWith('(function(){') && text.includes('createApiReference'))
    // parses as it stands: nothing was lost on the way out of the package
    assert.doesNotThrow(() => new AsyncFunctionOf(text))
  })

  it('have one for every error code, and none for others', async () => {
    const list = await (await get('/docs/errors')).text()
    for (const code of errorCodes) {
      assert.ok(list.includes(`href="/docs/errors/${code}"`), code)
      const page = await (await get(`/docs/errors/${code}`)).text()
      assert.ok(page.includes(`<code>${code}</code> · HTTP ${errorCatalogue[code].status}`), code)
    }
    assert.equal((await get('/docs/errors/constructor')).status, 404)
    assert.equal((await get('/docs/errors/%3Cscript%3E')).status, 404)
  })

  it('are found from the root, and without a slash too many', async () => {
    const root = await get('/')
    assert.deepEqual([root.status, root.headers.get('location')], [303, '/docs'])
    assert.equal((await get('/docs/')).status, 301)
  })
})

/** Parses a script without running it. */
const AsyncFunctionOf = Object.getPrototypeOf(async () => undefined).constructor

import { createServer } from 'node:http'

/** An HTTP server that tells which release answers. It does not listen yet. */
export function createService({ app, release, commit }) {
  return createServer((request, response) => {
    const [path] = request.url.split('?')
    if (path !== '/') return reply(response, 404, `Nothing at ${path}.\n`)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return reply(response, 405, 'Only GET works here.\n')
    }
    reply(response, 200, `Hello from ${app}, release ${release}, commit ${commit.slice(0, 7)}.\n`)
  })
}

function reply(response, status, text) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}

/** A user's project: a folder with a git repository, and what a user does with it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finished, type Platform, writeFiles } from './platform.ts'

export interface Project {
  readonly name: string
  readonly folder: string
  write(files: Readonly<Record<string, string>>): Promise<void>
  commit(message: string): Promise<string>
  push(...options: readonly string[]): Promise<Finished>
  /** Writes, commits, pushes. */
  release(files: Readonly<Record<string, string>>): Promise<Finished>
}

/** `gantry apps create`, as a user does it: in a folder with a git repository. */
export async function createProject(
  platform: Platform,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Project> {
  const folder = join(platform.work, name)
  await mkdir(folder, { recursive: true })
  const git = async (...args: readonly string[]) => {
    const done = await platform.git(args, { cwd: folder })
    if (done.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${done.output}`)
    return done.stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  const created = await platform.gantry(['apps', 'create', name], { cwd: folder })
  if (created.exitCode !== 0) throw new Error(`gantry apps create ${name}: ${created.output}`)
  const project: Project = {
    name,
    folder,
    write: (changed) => writeFiles(folder, changed),
    async commit(message) {
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '-m', message)
      return await git('rev-parse', 'HEAD')
    },
    push: (...options) => platform.git(['push', ...options, 'gantry', 'main'], { cwd: folder }),
    async release(changed) {
      await project.write(changed)
      await project.commit('Change')
      return await project.push()
    },
  }
  await project.write(files)
  await project.commit('First')
  return project
}

/** An app that answers with its version, keeps POSTed ids in its output, streams events and echoes over a WebSocket. */
export function anApp(
  version: string,
  options: { bootMs?: number; listen?: string; before?: string } = {},
): Record<string, string> {
  return {
    'package.json': `${JSON.stringify({ name: 'scenario', private: true, scripts: { start: 'node server.js' } }, null, 2)}\n`,
    'version.js': `module.exports = ${JSON.stringify(version)}\n`,
    'server.js': `${options.before ?? ''}
const { createHash } = require('node:crypto')
const { createServer } = require('node:http')
const version = require('./version.js')
const server = createServer((request, response) => {
  response.setHeader('x-version', version)
  response.setHeader('x-instance', process.env.GANTRY_INSTANCE_ID ?? '')
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('data: ' + version + '\\n\\n'), 100)
    response.on('close', () => clearInterval(timer))
    return
  }
  if (request.url.startsWith('/slow')) return void setTimeout(() => response.end(version), 500)
  if (request.url === '/env') return void response.end(JSON.stringify(process.env))
  if (request.url === '/crash') return void response.end('bye', () => process.exit(3))
  if (request.method === 'POST') {
    let body = ''
    request.on('data', (chunk) => { body += chunk })
    return void request.on('end', () => {
      console.log('order ' + body)
      response.end(version)
    })
  }
  response.end(version)
})
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('error', () => undefined)
  socket.on('data', (frame) => {
    if ((frame[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]))
    const length = frame[1] & 127
    const mask = frame.subarray(2, 6)
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]))
    const reply = Buffer.from(version + ':' + text)
    socket.write(Buffer.concat([Buffer.from([0x81, reply.length]), reply]))
  })
})
setTimeout(() => server.listen(${options.listen ?? 'process.env.PORT'}), ${options.bootMs ?? 0})
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
  }
}

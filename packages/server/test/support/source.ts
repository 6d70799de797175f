import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Credentials, Principal } from '../../src/access/index.ts'
import { createGit, type Git } from '../../src/clients/git/index.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { UserError } from '../../src/kernel/errors.ts'
import { type DeployId, formatId, type NewId, type RepositoryId, type TeamId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { type RunResult, runArgv, spawnArgv } from '../../src/kernel/spawn-argv.ts'
import { createSource } from '../../src/source/create-source.ts'
import {
  type AcceptedPush,
  type DeployProgress,
  defaultSourceLimits,
  type PushListener,
  type Source,
  type SourceDeps,
} from '../../src/source/source.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** Repositories behind a real HTTP server, with a real database; only deploys are not real. */
export interface Hosted {
  readonly folder: string
  readonly source: Source
  readonly git: Git
  readonly database: TestDatabase
  readonly deploys: FakeDeploys
  /** What was recorded of pushes: `allowed git push /git/hello.git`. */
  readonly audited: readonly string[]
  readonly repositoryId: RepositoryId
  /** Of the server, without credentials: `http://127.0.0.1:1234`. */
  readonly baseUrl: string
  readonly server: Server
  /** With a token of a developer: what `git push` is given. */
  url(app?: string, token?: string): string
  addApp(name: string, options?: { branch?: string; root?: string; repositoryId?: RepositoryId }): Promise<RepositoryId>
  /** The bare repository's folder. */
  path(id?: RepositoryId): string
  /** git of a user, in a folder of this test. */
  user(
    args: readonly string[],
    options?: { cwd?: string; env?: Record<string, string>; input?: string },
  ): Promise<RunResult>
  /** A clone-like folder with a first commit of these files, and `origin`. */
  workingTree(files?: Record<string, string>): Promise<WorkingTree>
  /** A second control plane over the same home. */
  restart(overrides?: Partial<SourceDeps>): Promise<void>
  /** A request of exactly these bytes, to `/git/hello.git/git-receive-pack` unless told otherwise. */
  request(body: Uint8Array | string, options?: RawRequest): Promise<RawReply>
  pushes(): Promise<{ ref: string; status: string; options: string[] }[]>
  close(): Promise<void>
}

export interface RawRequest {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly token?: string | undefined
}

export interface RawReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

export interface WorkingTree {
  readonly folder: string
  git(...args: string[]): Promise<RunResult>
  commit(files: Record<string, string>): Promise<string>
  push(...args: string[]): Promise<Pushed>
}

export interface Pushed {
  readonly code: number | null
  /** What git showed, escape sequences and padding of `remote:` lines taken out. */
  readonly text: string
}

/** Deploys with levers: by default each goes live at once. */
export interface FakeDeploys extends PushListener {
  readonly seen: AcceptedPush[]
  /** What follows for the next deploys; the default again when undefined. */
  script: ((ids: readonly DeployId[], signal: AbortSignal) => AsyncIterable<DeployProgress>) | undefined
  /** Thrown by `accepted`. */
  failure: Error | undefined
  branches: Set<string>
}

const teamId = 'tea-00000000000000000000000001' as TeamId
export const goodToken = 'gantry_good'
export const readerToken = 'gantry_reader'
export const strangerToken = 'gantry_stranger'

export interface HostedOptions {
  readonly maxPackBytes?: number
  readonly limits?: Partial<SourceDeps['limits']>
  readonly clock?: Clock
}

export async function createHosted(options: HostedOptions = {}): Promise<Hosted> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-test-source-'))
  const database = await createTestDatabase()
  const newId = countingIds()
  const at = new Date()
  const { db } = database
  await db.query(`insert into teams values ($1, 'default', $2), ('tea-00000000000000000000000002', 'other', $2)`, [
    teamId,
    at,
  ])
  const git = createGit({
    spawn: spawnArgv,
    searchPath: process.env.PATH ?? '',
    maxPackBytes: options.maxPackBytes ?? 1024 ** 3,
  })
  const deploys = createFakeDeploys(newId)
  const audited: string[] = []
  const deps: SourceDeps = {
    db,
    clock: options.clock ?? systemClock,
    newId,
    log: silentLogger,
    git,
    authenticate,
    audit: async ({ action, object, outcome }) => void audited.push(`${outcome} ${action} ${object}`),
    listener: deploys,
    failpoint: () => undefined,
    folder: join(folder, 'repositories'),
    limits: { ...defaultSourceLimits, ...options.limits },
  }
  const current = { source: createSource(deps) }
  const server = createServer((request, response) => current.source.gitRequest(request, response))
  server.requestTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as AddressInfo).port
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
  await writeFile(
    join(folder, '.gitconfig'),
    '[user]\nname=Test\nemail=test@example.com\n[init]\ndefaultBranch=main\n[protocol "file"]\nallow=always\n[advice]\ndetachedHead=false\n',
  )

  const user: Hosted['user'] = (args, { cwd = folder, env: more = {}, input } = {}) =>
    runArgv(spawnArgv, 'git', args, { cwd, env: { ...env, ...more }, ...(input === undefined ? {} : { input }) })
  const addApp: Hosted['addApp'] = async (name, { branch = 'main', root = '', repositoryId } = {}) => {
    const id = repositoryId ?? newId('repository')
    if (!repositoryId) await db.query('insert into repositories values ($1, $2, $3)', [id, teamId, at])
    await db.query(
      'insert into apps (id, team_id, repository_id, name, root, branch, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)',
      [newId('app'), teamId, id, name, root, branch, at],
    )
    await current.source.createRepository(id)
    return id
  }
  await mkdir(deps.folder)
  const repositoryId = await addApp('hello')
  const url: Hosted['url'] = (app = 'hello', token = goodToken) =>
    `http://git:${token}@127.0.0.1:${port}/git/${app}.git`
  const trees = { count: 0 }
  return {
    folder,
    get source() {
      return current.source
    },
    git,
    database,
    deploys,
    audited,
    repositoryId,
    baseUrl: `http://127.0.0.1:${port}`,
    server,
    url,
    addApp,
    path: (id = repositoryId) => join(deps.folder, `${id}.git`),
    user,
    async workingTree(files = { 'package.json': '{}', 'index.js': 'console.log(1)' }) {
      const tree = createWorkingTree(user, join(folder, `tree-${trees.count++}`))
      await mkdir(tree.folder)
      await tree.git('init', '-q')
      await tree.git('remote', 'add', 'origin', url())
      if (Object.keys(files).length > 0) await tree.commit(files)
      return tree
    },
    async restart(overrides = {}) {
      current.source = createSource({ ...deps, ...overrides })
      await current.source.reconcileRefs()
    },
    async request(
      body,
      { path = '/git/hello.git/git-receive-pack', method = 'POST', headers = {}, token = goodToken } = {},
    ) {
      const authorization = `Basic ${Buffer.from(`git:${token}`).toString('base64')}`
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization,
          'content-type': 'application/x-git-receive-pack-request',
          ...headers,
        },
        ...(method === 'GET' ? {} : { body: Buffer.from(body) }),
      })
      return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
    },
    pushes: () => db.query('select ref, status, options from pushes order by created_at, id'),
    async close() {
      git.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function createWorkingTree(user: Hosted['user'], folder: string): WorkingTree {
  const git = (...args: string[]): Promise<RunResult> => user(args, { cwd: folder })
  const counter = { commits: 0 }
  const own = folder.slice(folder.lastIndexOf('-') + 1)
  return {
    folder,
    git,
    async commit(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), content)
      }
      await git('add', '-A')
      const made = await git('commit', '-q', '--allow-empty', '-m', `commit ${own}.${counter.commits++}`)
      if (made.exitCode !== 0) throw new Error(made.stderr)
      return (await git('rev-parse', 'HEAD')).stdout.toString().trim()
    },
    async push(...args) {
      const { exitCode, stderr } = await git('push', ...(args.length > 0 ? args : ['origin', 'main']))
      return { code: exitCode, text: stderr.replace(/\x1b\[K/g, '').replace(/ +$/gm, '') }
    },
  }
}

function createFakeDeploys(newId: NewId): FakeDeploys {
  const deploys: FakeDeploys = {
    seen: [],
    script: undefined,
    failure: undefined,
    branches: new Set(['refs/heads/main']),
    async accepted(tx, push) {
      await tx.query('select 1')
      if (deploys.failure) throw deploys.failure
      if (!deploys.branches.has(push.ref)) return []
      deploys.seen.push(push)
      return [newId('deploy')]
    },
    follow: (ids, signal) => (deploys.script ?? goLive)(ids, signal),
  }
  return deploys
}

export async function* goLive(ids: readonly DeployId[]): AsyncGenerator<DeployProgress> {
  yield { kind: 'line', text: 'Building' }
  for (const deployId of ids)
    yield { kind: 'end', deployId, status: 'live', message: 'Live at http://hello.localhost:8080' }
}

/** Ends every deploy in this way. */
export function endsAs(status: 'failed' | 'superseded' | 'cancelled' | 'rolled_back', message: string) {
  return async function* (ids: readonly DeployId[]): AsyncGenerator<DeployProgress> {
    for (const deployId of ids) yield { kind: 'end', deployId, status, message }
  }
}

async function authenticate({ authorization }: Credentials): Promise<Principal> {
  const [, encoded = ''] = /^Basic (.*)$/.exec(authorization ?? '') ?? []
  const token = Buffer.from(encoded, 'base64').toString().split(':')[1]
  const known = { tokenId: 'tok-1', personId: 'per-1', personName: 'owner', role: 'developer' } as unknown as Principal
  if (token === goodToken) return { ...known, teamId, scopes: ['repository:read', 'repository:write'] }
  if (token === readerToken) return { ...known, teamId, scopes: ['repository:read'] }
  if (token === strangerToken) {
    const other = 'tea-00000000000000000000000002' as TeamId
    return { ...known, teamId: other, scopes: ['repository:read', 'repository:write'] }
  }
  throw new UserError('unauthenticated', 'A valid token is needed.')
}

function countingIds(): NewId {
  const counter = { last: 0 }
  return (kind) => {
    const bytes = Buffer.alloc(10)
    bytes.writeUInt32BE(++counter.last, 6)
    return formatId(kind, 1, bytes)
  }
}

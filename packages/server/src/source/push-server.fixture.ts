/** A process that takes pushes and is killed at a failpoint. Arguments: database URL, folder of repositories, failpoint. */
import { createServer } from 'node:http'
import type { Principal } from '../access/index.ts'
import { createGit } from '../clients/git/index.ts'
import { openDatabase } from '../db/open-database.ts'
import { systemClock } from '../kernel/clock.ts'
import { createIds, type DeployId } from '../kernel/ids.ts'
import { silentLogger } from '../kernel/logger.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import { createSource } from './create-source.ts'
import { defaultSourceLimits } from './source.ts'

const [url = '', folder = '', failpoint = ''] = process.argv.slice(2)
const team = 'tea-00000000000000000000000001'
const who = { teamId: team, personName: 'owner', role: 'developer', scopes: ['repository:read', 'repository:write'] }
const source = createSource({
  db: openDatabase({ url, clock: systemClock, logger: silentLogger, maxConnections: 4 }),
  clock: systemClock,
  newId: createIds(Date.now, (size) => crypto.getRandomValues(new Uint8Array(size))),
  log: silentLogger,
  git: createGit({ spawn: spawnArgv, searchPath: process.env.PATH ?? '', maxPackBytes: 1024 ** 3 }),
  authenticate: async () => who as unknown as Principal,
  audit: async () => undefined,
  listener: {
    accepted: async () => ['dep-1' as DeployId],
    async *follow() {
      yield { kind: 'end', deployId: 'dep-1' as DeployId, status: 'failed', message: 'it failed' }
    },
  },
  failpoint(name) {
    if (name === failpoint) process.kill(process.pid, 'SIGKILL')
  },
  folder,
  limits: defaultSourceLimits,
})
const server = createServer((request, response) => source.gitRequest(request, response))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})

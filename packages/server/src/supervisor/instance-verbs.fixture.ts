/** A supervisor without programs, for tests that kill one: `instance-verbs.fixture.ts <home>`. Ends everything at SIGTERM. */
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import { createControlSocket } from './control-socket.ts'
import { createInstanceVerbs } from './instance-verbs.ts'
import { Refusal } from './protocol.ts'

const [, , home = '', bytesPerSecond] = process.argv
const controlPlane = process.getuid?.() === 0 ? { uid: 199_999, gid: 199_999 } : undefined
const log = {
  ...silentLogger,
  warn: (facts: object, event: string) => void process.stderr.write(`warn ${event} ${JSON.stringify(facts)}\n`),
  error: (facts: object, event: string) => void process.stderr.write(`error ${event} ${JSON.stringify(facts)}\n`),
}
const verbs = await createInstanceVerbs({
  home,
  controlPlane,
  clock: systemClock,
  log,
  start: spawnArgv,
  ...(bytesPerSecond && { outputRate: { bytesPerSecond: Number(bytesPerSecond), burstBytes: Number(bytesPerSecond) } }),
})
const noPrograms = async (): Promise<never> => {
  throw new Refusal('BadRequest', 'this supervisor has no programs')
}
const socket = await createControlSocket({
  path: `${home}/run/supervisor.sock`,
  owner: undefined,
  onChange: (listener) => verbs.instances.onChange(listener),
  log,
  handlers: {
    ...verbs.handlers,
    status: noPrograms,
    replaceProgram: noPrograms,
    down: noPrograms,
    replace: noPrograms,
  },
})
process.once('SIGTERM', async () => {
  await verbs.instances.stopAll(500)
  verbs.close()
  await socket.close()
  process.exit(0)
})
process.stdout.write('ready\n')

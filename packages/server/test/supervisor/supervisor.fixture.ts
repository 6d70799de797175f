import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { joinSupervisor } from '../../src/kernel/supervised-program.ts'
import { runSupervisor } from '../../src/supervisor/supervisor-main.ts'

/**
 * The real supervisor over programs that only answer who they are. GANTRY_TEST_BUILD is the build that it claims to be,
 * GANTRY_TEST_FAIL names a program that reports a failure instead of serving.
 */
const file = fileURLToPath(import.meta.url)
const part = process.argv[2] ?? ''

if (part === 'supervisor') {
  const build = process.env.GANTRY_TEST_BUILD ?? 'one'
  void runSupervisor({
    identity: { version: '0.0.0', build },
    commandOf: (name) => ({ file: process.execPath, args: [...process.execArgv, file, name] }),
  })
} else {
  serve(part)
}

function serve(name: string): void {
  const program = joinSupervisor(process.env)
  if (program === undefined) throw new Error('nobody supervises this program')
  if (process.env.GANTRY_TEST_FAIL === name) {
    program.failed(new Error(`${name} fails on purpose`))
    process.exit(1)
  }
  const build = process.env.GANTRY_PROGRAM_BUILD
  const servers = program.sockets.map(({ fd }) =>
    createServer((request, response) => {
      const waitMs = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('wait') ?? 0)
      const uid = process.getuid?.()
      const answer = {
        name,
        pid: process.pid,
        build,
        uid,
        database: process.env.DATABASE_URL,
        home: process.env.GANTRY_HOME,
      }
      setTimeout(() => response.end(JSON.stringify(answer)), waitMs)
    }).listen({ fd }),
  )
  process.once('SIGTERM', () => {
    program.draining()
    for (const server of servers) server.close()
  })
  let listening = 0
  for (const server of servers) server.once('listening', () => ++listening === servers.length && program.ready())
}

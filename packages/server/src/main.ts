import { existsSync } from 'node:fs'

/**
 * The one entry point of Gantry's three programs. Each is imported only when it is the one to run: the supervisor loads no
 * npm package, and the router little.
 */
const programs: Readonly<Record<string, () => Promise<void>>> = {
  supervisor: async () => (await import('./supervisor/supervisor-main.ts')).runSupervisor(),
  server: async () => (await import('./server-main.ts')).runServer(),
  router: async () => (await import('./router/router-main.ts')).runRouter(),
}

const program = programs[process.argv[2] ?? '']
if (program === undefined || !existsSync('/proc/self')) {
  process.stderr.write('Usage: main.ts supervisor|server|router. People use `gantry`; Gantry runs on Linux only.\n')
  process.exitCode = 2
} else {
  await program()
}

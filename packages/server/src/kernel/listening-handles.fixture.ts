import { createServer } from 'node:net'
import { holdSocket, lendSockets } from './listening-handles.ts'

/** A process that got a listening socket as descriptor 3: answers its pid, and lends the socket at the path given. */
const lending = lendSockets(process.argv[2] ?? '', [holdSocket(3)])
createServer((client) => client.end(String(process.pid))).listen({ fd: 3 }, () => {
  lending.begin()
  process.stdout.write('ready\n')
})

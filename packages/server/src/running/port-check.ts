import { createServer } from 'node:net'
import { isSystemError } from '../kernel/errors.ts'

/** Whether a listener could be opened on the port, on every interface, right now. */
export async function isPortFree(port: number): Promise<boolean> {
  const answer = await tryToListen(port, '::')
  return (answer === 'no such family' ? await tryToListen(port, '0.0.0.0') : answer) === 'free'
}

/** A machine may have no IPv6. */
function tryToListen(port: number, host: string): Promise<'free' | 'taken' | 'no such family'> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      resolve(isSystemError(error, 'EAFNOSUPPORT', 'EADDRNOTAVAIL') ? 'no such family' : 'taken')
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')))
  })
}

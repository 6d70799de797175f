import { createServer } from 'node:net'

/** Whether a listener could be opened on the port, on every interface, right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '::', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

import type { Socket } from 'node:net'

/**
 * Joins two sockets byte by byte, with back-pressure, until both are closed. An end in one direction is passed on; a
 * broken connection breaks the other. A client that does not close after the app did is cut off after `lingerMs`.
 */
export function splice(client: Socket, app: Socket, lingerMs: number, onClosed: () => void): void {
  let open = 2
  const closed = () => {
    open--
    if (open === 0) onClosed()
  }
  pump(client, app)
  pump(app, client)
  client.once('close', () => {
    app.destroy()
    closed()
  })
  app.once('close', () => {
    if (!client.writableEnded) client.destroy()
    else if (!client.destroyed) lingerThenDestroy(client, lingerMs)
    closed()
  })
  client.resume()
  app.resume()
}

function pump(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
}

function lingerThenDestroy(socket: Socket, lingerMs: number): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

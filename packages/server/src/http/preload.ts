import fastify from 'fastify'

/**
 * Fastify and its plugins' loader load parts of themselves when the first application is made. This makes one and throws it
 * away, while this process may still read where Gantry is installed.
 */
export async function preloadHttp(): Promise<void> {
  const app = fastify({ logger: false })
  app.get('/', () => '')
  await app.ready()
  await app.close()
}

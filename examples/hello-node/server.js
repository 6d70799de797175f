import { createService } from './service.js'

const port = Number(process.env.PORT ?? 3000)
const server = createService({
  app: process.env.GANTRY_APP ?? 'hello',
  release: process.env.GANTRY_RELEASE ?? 'none',
  commit: process.env.SOURCE_COMMIT ?? 'unknown',
})

server.listen(port, () => console.log(`listening on ${port}`))

// Gantry sends SIGTERM when a newer release has taken over: finish what was begun, accept nothing new.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    console.log(`${signal}: finishing open requests`)
    server.close(() => console.log('done'))
  })
}

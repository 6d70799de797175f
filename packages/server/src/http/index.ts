export { createHttpServer, type HttpDeps, type HttpServer } from './http-server.ts'
export type { ListenTarget } from './listeners.ts'
export { openReferenceScript, type ReferenceScript } from './reference-script.ts'

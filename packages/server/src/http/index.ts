export { createHttpServer, type HttpDeps, type HttpServer } from './http-server.ts'
export type { ListenTarget } from './listeners.ts'
export { preloadHttp } from './preload.ts'
export { openReferenceScript, type ReferenceScript } from './reference-script.ts'

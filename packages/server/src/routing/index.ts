export type { RouteContent } from './route.ts'
export { isRouterGone } from './router-life.ts'
export { createRouting, type Routing, type RoutingDeps } from './routing.ts'
export type { RoutingServer, SocketAccess } from './serve-routers.ts'

export { databaseCheck, diskCheck, routersCheck, supervisorCheck } from './checks.ts'
export type { HealthCheck } from './platform.ts'
export { type PlatformDeps, platformRoutes } from './routes.ts'

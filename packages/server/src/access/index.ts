export { type ActionObject, authorize, permittedTo } from './authorize.ts'
export { type BoundEndpoint, bind, type Call, type CallHeaders, type Handler } from './endpoint-binding.ts'
export { permissionTable } from './permissions.ts'
export { type Principal, type Role, systemScope, type TeamScope } from './principal.ts'

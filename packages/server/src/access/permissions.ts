import { type Permission, permissions } from '@gantry/api'
import type { Role } from './principal.ts'

/**
 * The permission table: who may do what. A viewer sees everything but secrets (config, other people's tokens); a
 * developer delivers and configures; an admin also deletes apps, manages members and reads the audit log; an owner may
 * do all, and alone rotates the master key. Everybody makes tokens of their own.
 */
const viewer: readonly Permission[] = [
  'platform:read',
  'app:read',
  'environment:read',
  'build:read',
  'deploy:read',
  'release:read',
  'instance:read',
  'log:read',
  'source:read',
  'repository:read',
  'member:read',
  'token:read',
  'token:create',
  'token:delete',
]

const developer: readonly Permission[] = [
  ...viewer,
  'app:create',
  'app:update',
  'environment:create',
  'environment:update',
  'environment:delete',
  'config:read',
  'config:write',
  'deploy:create',
  'deploy:cancel',
  'source:create',
  'repository:write',
]

const admin: readonly Permission[] = [
  ...developer,
  'app:delete',
  'member:create',
  'member:update',
  'member:delete',
  'audit:read',
]

export const permissionTable: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(permissions),
  admin: new Set(admin),
  developer: new Set(developer),
  viewer: new Set(viewer),
}

/** What reaches beyond one app, and so is never within a token that is limited to one. */
export const teamWidePermissions: ReadonlySet<Permission> = new Set<Permission>([
  'app:create',
  'token:read',
  'token:create',
  'token:delete',
  'member:read',
  'member:create',
  'member:update',
  'member:delete',
  'audit:read',
  'key:rotate',
])

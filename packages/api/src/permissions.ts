/** What can be permitted: the names of scopes on tokens, of actions in the permission table, and of operations' needs. */
export const permissions = [
  'platform:read',
  'app:read',
  'app:create',
  'app:update',
  'app:delete',
  'environment:read',
  'environment:create',
  'environment:update',
  'environment:delete',
  'config:read',
  'config:write',
  'build:read',
  'deploy:read',
  'deploy:create',
  'deploy:cancel',
  'release:read',
  'instance:read',
  'log:read',
  'token:read',
  'token:create',
  'token:delete',
  'member:read',
  'member:create',
  'member:update',
  'member:delete',
  'audit:read',
  'source:create',
  'source:read',
  'repository:read',
  'repository:write',
  'key:rotate',
] as const

export type Permission = (typeof permissions)[number]

export function isPermission(text: string): text is Permission {
  return (permissions as readonly string[]).includes(text)
}

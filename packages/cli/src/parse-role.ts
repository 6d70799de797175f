import { type Role, roles } from '@gantry/api'
import { CommandError, exitCodes } from './exit-codes.ts'

export function parseRole(text: string): Role {
  const role = roles.find((one) => one === text)
  if (role) return role
  throw new CommandError(exitCodes.usage, `${text} is not a role.`, `There are: ${roles.join(', ')}`)
}

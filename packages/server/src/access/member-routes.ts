import {
  createMember,
  deleteMember,
  getMember,
  inviteMember as inviteEndpoint,
  listMembers as listEndpoint,
  updateMember,
} from '@gantry/api'
import { pageLinks } from '../kernel/page-links.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import { changeRole } from './change-role.ts'
import { type BoundEndpoint, bind } from './endpoint-binding.ts'
import { findMember } from './find-member.ts'
import { inviteAgain, inviteMember } from './invite-member.ts'
import { memberResource } from './member.ts'
import { listMembers } from './member-store.ts'
import { removeMember } from './remove-member.ts'

export function memberRoutes(deps: AccessDeps, authenticator: Authenticator): readonly BoundEndpoint[] {
  return [
    bind(listEndpoint, async ({ scope, query, baseUrl }) => {
      const page = await listMembers(deps.db, scope, query)
      return {
        members: page.rows.map((row) => memberResource(row, baseUrl)),
        ...pageLinks({ baseUrl, path: '/v1/members', query }, page.next),
      }
    }),
    bind(createMember, async ({ scope, principal, body, baseUrl }) => {
      const { row, invitation } = await inviteMember(deps, scope, principal, body)
      return memberResource(row, baseUrl, invitation)
    }),
    bind(getMember, async ({ scope, params, baseUrl }) => {
      return memberResource(await findMember(deps.db, scope, params.id), baseUrl)
    }),
    bind(updateMember, async ({ scope, principal, params, headers, body, baseUrl }) => {
      const change = { principal, id: params.id, ifMatch: headers.ifMatch, role: body.role }
      return memberResource(await changeRole(deps, authenticator, scope, change), baseUrl)
    }),
    bind(inviteEndpoint, async ({ scope, principal, params, body, baseUrl }) => {
      const { row, invitation } = await inviteAgain(deps, scope, { principal, id: params.id }, body.expires_at)
      return memberResource(row, baseUrl, invitation)
    }),
    bind(deleteMember, async ({ scope, principal, params, headers }) => {
      await removeMember(deps, authenticator, scope, { principal, id: params.id, ifMatch: headers.ifMatch })
      return undefined
    }),
  ]
}

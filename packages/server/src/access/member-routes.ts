import {
  createMember,
  deleteMember,
  getMember,
  inviteMember as inviteEndpoint,
  listMembers as listEndpoint,
  updateMember,
} from '@gantry/api'
import { pageLinks } from '../kernel/page-links.ts'
import {
  type ChangingMembers,
  changeRole,
  inviteAgain,
  inviteMember,
  mustBeMember,
  removeMember,
} from './change-members.ts'
import { type BoundEndpoint, bind } from './endpoint-binding.ts'
import { memberResource } from './member.ts'
import { listMembers, memberById } from './member-store.ts'

export function memberRoutes(deps: ChangingMembers): readonly BoundEndpoint[] {
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
      return memberResource(mustBeMember(await memberById(deps.db, scope, params.id), params.id), baseUrl)
    }),
    bind(updateMember, async ({ scope, principal, params, headers, body, baseUrl }) => {
      const change = { principal, id: params.id, ifMatch: headers.ifMatch }
      return memberResource(await changeRole(deps, scope, change, body.role), baseUrl)
    }),
    bind(inviteEndpoint, async ({ scope, principal, params, body, baseUrl }) => {
      const { row, invitation } = await inviteAgain(deps, scope, { principal, id: params.id }, body.expires_at)
      return memberResource(row, baseUrl, invitation)
    }),
    bind(deleteMember, async ({ scope, principal, params, headers }) => {
      await removeMember(deps, scope, { principal, id: params.id, ifMatch: headers.ifMatch })
      return undefined
    }),
  ]
}

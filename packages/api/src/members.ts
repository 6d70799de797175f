import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, oneOf, text, timestamp } from './fields.ts'

/** From the least to the most: each may do all that the one before it may. */
export const roles = ['viewer', 'developer', 'admin', 'owner'] as const
export type Role = (typeof roles)[number]

const name = text({
  description: 'What the person is called, once in the team.',
  pattern: /^[^\u0000-\u001f\u007f-\u009f]+$/,
  max: 100,
  example: 'Mia',
})

const role = oneOf(
  'What the person may do: a viewer sees everything but secrets, a developer also deploys and configures, an admin also manages members and deletes apps, an owner may do all.',
  roles,
  'developer',
)

const expiresAt = timestamp('When the invitation stops working.', '2026-08-29T09:30:00.000Z')

const invitationSchema = z
  .strictObject({
    code: text({
      description:
        'The invitation itself, for `gantry join`. It makes one token, once. Only in the reply that makes it.',
      pattern: /^[A-Za-z0-9_]+$/,
      min: 32,
      max: 128,
      example: 'gantry_7Qm2vXfK3pYhB9sWcT5nDzJr8LgVa1Ue4',
    }),
    expires_at: expiresAt,
  })
  .meta({ id: 'Invitation', description: 'A way in for one person, once.' })

export const memberSchema = z
  .strictObject({
    id: identifier('The identifier of the person.', example.ids.person),
    href: href('The URL of the member.', `${example.baseUrl}/v1/members/${example.ids.person}`),
    name,
    role,
    status: oneOf('Whether the person has joined, or has yet to.', ['invited', 'active'], 'active'),
    created_at: timestamp('When the person was invited.'),
    joined_at: timestamp('When the person joined. Absent before that.', example.at.finished).optional(),
    invitation: invitationSchema.optional(),
    etag: entityTag,
  })
  .meta({ id: 'Member', description: 'A person in the team. `invitation` is present in the reply that makes one.' })

export type Member = Immutable<z.output<typeof memberSchema>>

const invitationPrototypeSchema = z
  .strictObject({ expires_at: expiresAt.optional() })
  .meta({ id: 'InvitationPrototype', description: 'The invitation to make: of seven days unless told otherwise.' })

export const memberPrototypeSchema = z
  .strictObject({ name, role: role.optional(), invitation: invitationPrototypeSchema.optional() })
  .meta({
    id: 'MemberPrototype',
    description: 'The person to invite: a developer, with an invitation of seven days, unless told otherwise.',
  })

const memberPatchSchema = z
  .strictObject({ role: role.optional() })
  .meta({ id: 'MemberPatch', description: 'What may be changed of a member.' })

export const memberCollectionSchema = collectionOf(
  { id: 'MemberCollection', key: 'members', nouns: 'members' },
  memberSchema,
)

const exampleMember = {
  id: example.ids.person,
  href: `${example.baseUrl}/v1/members/${example.ids.person}`,
  name: 'Mia',
  role: 'developer',
  status: 'active',
  created_at: example.at.created,
  joined_at: example.at.finished,
  etag: example.etag,
} satisfies Member

const { joined_at: _, ...invited } = exampleMember
const exampleInvited = {
  ...invited,
  status: 'invited',
  invitation: { code: 'gantry_7Qm2vXfK3pYhB9sWcT5nDzJr8LgVa1Ue4', expires_at: '2026-08-29T09:30:00.000Z' },
} satisfies Member

const params = z.strictObject({ id: identifierParameter('The identifier of the person.', example.ids.person) })

export const listMembers = defineEndpoint({
  operationId: 'list_members',
  method: 'GET',
  path: '/v1/members',
  tag: 'members',
  permission: 'member:read',
  summary: 'List members',
  description: 'Retrieve one page of the people of the team, newest first.',
  query: z.strictObject(pageParameters),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: memberCollectionSchema,
    description: 'A page of members.',
    example: example.onlyPage('/v1/members', 'members', exampleMember),
  },
  errors: ['invalid_page_token'],
})

export const createMember = defineEndpoint({
  operationId: 'create_member',
  method: 'POST',
  path: '/v1/members',
  tag: 'members',
  permission: 'member:create',
  summary: 'Invite a person',
  description:
    'Invite a person into the team. `invitation.code` is shown in this reply and never again: sent as a bearer token to `create_token` it makes the first token of the person, once. Nobody can give a role above their own.',
  body: {
    mediaType: 'application/json',
    schema: memberPrototypeSchema,
    description: 'The person to invite.',
    example: { name: 'Mia', role: 'developer' },
  },
  reply: {
    status: 201,
    mediaType: 'application/json',
    schema: memberSchema,
    description: 'The person was invited.',
    example: exampleInvited,
    cache: 'no-store',
  },
  errors: ['name_taken'],
})

export const getMember = defineEndpoint({
  operationId: 'get_member',
  method: 'GET',
  path: '/v1/members/{id}',
  tag: 'members',
  permission: 'member:read',
  summary: 'Retrieve a member',
  description: 'Retrieve one person of the team.',
  conditional: 'if_none_match',
  params,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: memberSchema,
    description: 'The member.',
    example: exampleMember,
  },
})

export const updateMember = defineEndpoint({
  operationId: 'update_member',
  method: 'PATCH',
  path: '/v1/members/{id}',
  tag: 'members',
  permission: 'member:update',
  summary: 'Update a member',
  description:
    'Change the role of a person. It counts within a second, for all tokens of the person. Nobody can give a role above their own, or change somebody above them; a team keeps an owner.',
  conditional: 'if_match',
  params,
  body: {
    mediaType: 'application/merge-patch+json',
    schema: memberPatchSchema,
    description: 'The changes.',
    example: { role: 'admin' },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: memberSchema,
    description: 'The member as changed.',
    example: { ...exampleMember, role: 'admin' },
  },
  errors: ['last_owner'],
})

export const inviteMember = defineEndpoint({
  operationId: 'invite_member',
  method: 'POST',
  path: '/v1/members/{id}/invite',
  tag: 'members',
  permission: 'member:create',
  summary: 'Invite a member again',
  description:
    'Make a new invitation for a person who has not joined, or who has no token that works any more: lost ones are revoked first, so that nobody acts in the name of somebody else. Earlier invitations of the person stop working.',
  params,
  body: {
    mediaType: 'application/json',
    schema: invitationPrototypeSchema,
    description: 'The invitation to make.',
    example: { expires_at: '2026-08-29T09:30:00.000Z' },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: memberSchema,
    description: 'The member, with the new invitation.',
    example: exampleInvited,
    cache: 'no-store',
  },
  errors: ['invalid_state'],
})

export const deleteMember = defineEndpoint({
  operationId: 'delete_member',
  method: 'DELETE',
  path: '/v1/members/{id}',
  tag: 'members',
  permission: 'member:delete',
  summary: 'Remove a member',
  description:
    'Remove a person from the team and revoke all their tokens and invitations, within a second, open streams included. What they deployed stays.',
  conditional: 'if_match',
  params,
  reply: { status: 204, description: 'The person is no longer in the team.' },
  errors: ['last_owner'],
})

export const memberEndpoints = [listMembers, createMember, getMember, updateMember, inviteMember, deleteMember] as const

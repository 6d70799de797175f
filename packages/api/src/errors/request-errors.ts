import { showing } from './catalogue-entry.ts'

/** What can be wrong with a request, before anything is done. */
export const requestErrors = showing(['api'], {
  missing_field: {
    status: 400,
    title: 'A field is missing',
    description:
      'The body lacks a field that this operation needs. `target` names it; add it and send the request again.',
  },
  invalid_field: {
    status: 400,
    title: 'A field is invalid',
    description:
      'A field of the body has the wrong type or a value that is not allowed. `target` names it and the message says which values are.',
  },
  unknown_field: {
    status: 400,
    title: 'A field is unknown',
    description:
      'The body has a field that this operation does not know. Look for a typing error, or remove it: nothing is ignored silently.',
  },
  missing_parameter: {
    status: 400,
    title: 'A parameter is missing',
    description: 'The URL lacks a query parameter that this operation needs. `target` names it.',
  },
  invalid_parameter: {
    status: 400,
    title: 'A parameter is invalid',
    description:
      'A parameter of the path or query has a value that is not allowed, or stands there twice. `target` names it.',
  },
  unknown_parameter: {
    status: 400,
    title: 'A parameter is unknown',
    description: 'The query has a parameter that this operation does not know. Look for a typing error, or remove it.',
  },
  invalid_page_token: {
    status: 400,
    title: 'The page token does not belong to this list',
    description:
      'A value of `start` works only with the list and the filters it came from. Begin again without `start`.',
  },
  invalid_header: {
    status: 400,
    title: 'A header is invalid',
    description:
      'A request header has a value that cannot be used, or a precondition that this operation does not support. `target` names it.',
  },
  invalid_json: {
    status: 400,
    title: 'The body is not JSON',
    description: 'The body could not be read as one JSON object, or a key stands in it twice. The message says where.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is malformed',
    description:
      'The request is not valid HTTP, or its URL cannot be decoded. Look at what stands between the client and Gantry.',
  },
  name_invalid: {
    status: 400,
    title: 'A name is malformed',
    description:
      'Names of apps and environments begin with a lower-case letter, go on with lower-case letters, digits and single hyphens, and end on a letter or digit. An app has at most 39 characters, an environment at most 20; neither may look like an id of Gantry.',
  },
  config_name_invalid: {
    status: 400,
    title: 'The name of a variable is malformed',
    description: 'Names of variables are letters, digits and underscores and do not begin with a digit.',
  },
  config_name_reserved: {
    status: 400,
    title: 'The name of a variable is reserved',
    description:
      '`PORT`, `HOME`, `TMPDIR` and every name that begins with `GANTRY_` are set by Gantry itself. Choose another name.',
  },
  config_too_large: {
    status: 400,
    title: 'The config is too large',
    description:
      'An environment has at most 500 variables, and they must fit into what a process can be started with. Remove some.',
  },
  process_type_unknown: {
    status: 400,
    title: 'The process type does not exist',
    description:
      'The release has no process type of this name. The message lists those it has; add it to the Procfile and deploy, or correct the name.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid access token',
    description:
      "The token is absent, expired, revoked or unknown. Make one with `gantry tokens create`, and send it as `Authorization: Bearer …`; on the machine itself `gantry login` finds the owner's.",
  },
  forbidden: {
    status: 403,
    title: 'The token does not permit this',
    description:
      'The token, or the role of its owner, lacks the permission that the message names. Use another token, or ask an owner of the team.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    description:
      'It does not exist, or the token may not see it: the two look the same on purpose. Check the spelling and the team; `gantry apps list` shows what there is.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    description: 'The path exists, but not with this method. The header `Allow` lists those that work.',
  },
  not_acceptable: {
    status: 406,
    title: 'No acceptable media type',
    description:
      'This operation cannot answer in a media type that the `Accept` header allows. It answers `application/json`, or `text/event-stream` for a stream.',
  },
  name_taken: {
    status: 409,
    title: 'The name is taken',
    description:
      'Another app of this installation, another environment of this app, or another member of the team has this name. Choose another one.',
  },
  last_owner: {
    status: 409,
    title: 'A team keeps an owner',
    description:
      'The last owner of a team cannot be removed or get a lower role. Make somebody else an owner first; an invited one counts when they have joined.',
  },
  invalid_state: {
    status: 409,
    title: 'The state does not allow this',
    description:
      'The resource is in a state in which the operation makes no sense, such as cancelling a deploy that has ended. Read it again; the message says which state it is in.',
  },
  environment_protected: {
    status: 409,
    title: 'The environment cannot be deleted',
    description: '`production` exists as long as its app does. Delete the app, or scale its process types to 0.',
  },
  nothing_to_restart: {
    status: 409,
    title: 'Nothing has been released here',
    description: 'The environment has no release, so there is nothing to restart. Push or deploy first.',
  },
  no_release_to_roll_back_to: {
    status: 409,
    title: 'There is no release to go back to',
    description:
      'The environment has no earlier release, or the one named has been collected. `gantry releases` lists those that are kept.',
  },
  already_live: {
    status: 409,
    title: 'This release is live already',
    description: 'The release asked for is the one that is running. Nothing was changed.',
  },
  idempotency_key_in_use: {
    status: 409,
    title: 'The first request with this key is still running',
    description: 'Wait a moment and send the request again: it will then get the answer of the first.',
  },
  idempotency_key_reused: {
    status: 400,
    title: 'The idempotency key was used for another request',
    description: 'A key belongs to one request for 24 hours. Use a new key for a new request.',
  },
  etag_mismatch: {
    status: 412,
    title: 'The resource has changed meanwhile',
    description:
      'The `If-Match` header names an older version. Read the resource again, look at what changed, and repeat the change on top of it.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    description:
      'The message says how large a body may be. For an upload, exclude what the build does not need in `.gantryignore`.',
  },
  uri_too_long: {
    status: 414,
    title: 'The URL is too long',
    description: 'A URL may have 8000 bytes.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type of the body is not supported',
    description:
      'Send `application/json` to create, `application/merge-patch+json` to change, `application/x-tar` (also gzipped, with `Content-Encoding: gzip`) to upload.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    description: 'Wait as long as `Retry-After` says. `RateLimit` and `RateLimit-Policy` say what is left.',
  },
  internal_error: {
    status: 500,
    title: 'Gantry made a mistake',
    description:
      'Something went wrong inside Gantry. Trying again may help; if it does not, report the value of `trace`, by which the log is searched.',
  },
  service_unavailable: {
    status: 503,
    title: 'Gantry cannot answer right now',
    description:
      'The control plane is starting, stopping, or without its database. Running apps are not affected. Try again after `Retry-After`; `gantry doctor` tells more.',
  },
  engine_unavailable: {
    status: 503,
    title: 'The engine cannot be reached',
    description:
      'What runs the apps does not answer. Apps that run go on; nothing can be started or stopped until it is back. `gantry doctor` tells more.',
  },
  disk_full: {
    status: 503,
    title: 'The disk is full',
    description:
      'There is no room left for what this needs. Free some under `GANTRY_HOME`, or delete apps that are not needed.',
  },
})

import { pageParameters } from './collections.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoints as allEndpoints } from './endpoints.ts'
import { entityTag } from './fields.ts'
import { errorResponseComponents } from './openapi/error-responses.ts'
import { headerComponents, headerParameters } from './openapi/headers.ts'
import type { JsonObject } from './openapi/json.ts'
import { operationOf, parameter, pathParameters } from './openapi/operation.ts'
import { SchemaComponents } from './openapi/schemas.ts'
import { errorContainerSchema } from './problems.ts'
import { tags } from './tags.ts'

/**
 * The OpenAPI 3.1 document of the API, made from the endpoints: plain data, the same every time. It keeps to IBM's
 * rules (ibm-openapi-validator) without a finding.
 */
export function buildOpenapi(endpoints: readonly Endpoint[] = allEndpoints): JsonObject {
  const schemas = new SchemaComponents()
  schemas.use(errorContainerSchema)
  schemas.use(entityTag)
  const start = { name: 'start', in: 'query', ...parameter(pageParameters.start, schemas) }
  const paths = pathsOf(endpoints, schemas)
  return {
    openapi: '3.1.0',
    info: info(),
    servers: [
      {
        url: 'https://{host}',
        description: 'One installation of Gantry. On its own machine it also answers `http://localhost:4400`.',
        variables: {
          host: {
            default: 'gantry.internal',
            description: 'The host name, and the port unless it is the standard one.',
          },
        },
      },
    ],
    security: [{ bearer: [] }],
    tags: Object.entries(tags)
      .map(([name, description]) => ({ name, description }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'opaque',
          description: 'A scoped access token, made with `gantry tokens create`.',
        },
      },
      parameters: { Start: start, ...headerParameters },
      headers: headerComponents,
      responses: errorResponseComponents(),
      schemas: schemas.sorted(),
    },
  }
}

/** The bytes that are served and linted. */
export function openapiText(): string {
  return `${JSON.stringify(buildOpenapi())}\n`
}

function info(): JsonObject {
  return {
    title: 'Gantry API',
    description:
      'The API of Gantry, a continuous-delivery platform that you own. Dashboard, CLI and clients use nothing else. It keeps to the IBM Cloud API Handbook.',
    version: '1.0.0',
    contact: { name: 'Gantry maintainers', url: 'https://gantry.example.com/support', email: 'api@gantry.example.com' },
    license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0.html' },
  }
}

function pathsOf(endpoints: readonly Endpoint[], schemas: SchemaComponents): JsonObject {
  const paths: Record<string, Record<string, JsonObject | JsonObject[]>> = {}
  for (const endpoint of endpoints) {
    const item = paths[endpoint.path] ?? {}
    paths[endpoint.path] = item
    if (endpoint.params && !item.parameters) item.parameters = pathParameters(endpoint, schemas)
    item[endpoint.method.toLowerCase()] = operationOf(endpoint, schemas)
  }
  return paths
}

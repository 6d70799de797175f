/** The groups of operations in the document, and what each is about. */
export const tags = {
  apps: 'An app is one deployable: a repository, a root folder in it, and its environments.',
  environments: 'An environment is a place where an app runs. It owns config, scale and the desired release.',
  config: 'Config is the environment variables of an environment, encrypted at rest and versioned.',
  sources: 'A source is a tree of files that was uploaded to be deployed.',
  builds: 'A build turns source at a commit into an artifact.',
  deploys: 'A deploy is the journey that makes a release live.',
  releases: 'A release is an artifact, a config and process types, numbered and immutable.',
  instances: 'An instance is one running copy of a process type of a release.',
  logs: 'Logs are what instances, builds and deploys wrote, in pages or as a stream.',
  tokens: 'A token gives a program access to the API and to git.',
  members: 'A member is a person in the team, with a role. People come in by one-time invitations.',
  audit: 'The audit log says who changed what, and what was refused.',
  platform: 'The platform is this installation of Gantry itself.',
} as const

export type Tag = keyof typeof tags

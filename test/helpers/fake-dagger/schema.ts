/**
 * The part of the engine's schema (v0.21) that the Dagger runner needs. GraphQL's validation refuses every other field,
 * argument and type.
 */
export const SCHEMA = `
  scalar Platform

  interface Node { id: ID! }

  type Query {
    version: String!
    host: Host!
    directory: Directory!
    container(platform: Platform!): Container!
    node(id: ID!): Node!
  }

  type Host {
    file(path: String!): File!
    directory(path: String!, include: [String!]!): Directory!
  }

  type File implements Node { id: ID! }

  type Directory implements Node {
    id: ID!
    export(path: String!): String!
  }

  type Container implements Node {
    id: ID!
    import(source: ID!): Container!
    withMountedTemp(path: String!): Container!
    withMountedDirectory(path: String!, source: ID!, readOnly: Boolean = false): Container!
    withWorkdir(path: String!): Container!
    withExec(args: [String!]!, stdin: String = "", insecureRootCapabilities: Boolean = false): Container!
    directory(path: String!): Directory!
    stdout: String!
    stderr: String!
  }
`

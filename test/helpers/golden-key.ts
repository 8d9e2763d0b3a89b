/** The first test vector of RFC 8032 (section 7.1), which is public. */
export const GOLDEN_SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
export const GOLDEN_PUBLIC_LINE =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea RFC 8032, test 1'

/** The key as `ssh-keygen` (OpenSSH 9.2) writes it: ssh-keygen -c -C 'RFC 8032, test 1' -f KEY */
export const GOLDEN_PRIVATE_KEY = armor(`
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGgAAAJhynrftcp63
7QAAAAtzc2gtZWQyNTUxOQAAACDXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg
AAAECdYbGd7/1aYLqESvSS7CzEREnFaXsyaRlwO6wDHK5/YNdamAGCsQq31Uv+08lkBzoO
4XLz2qYjJa8CGmj3B1EaAAAAEFJGQyA4MDMyLCB0ZXN0IDEBAgMEBQ==`)

/** The same key with a passphrase: ssh-keygen -p -P '' -N secret -f KEY */
export const GOLDEN_LOCKED_KEY = armor(`
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABB7sbSvun
NL5uHk5wPX0EnnAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+
08lkBzoO4XLz2qYjJa8CGmj3B1EaAAAAoLgL9PthueEjUu6gVslhDJHRNhMSTAklMhgupk
gXPXkvd0j+MUdhP4iIRPYXl1ivZC4i3JMMgPtKFDzCgRk9ykV0zWu5ge2BQq51YFFdbMAy
IlHzrv5isBy6G4b770tvuTsmMUdwvv1SQbpVyLyZe2/aHNkVMhH/pZ5gcZSLYnXjXV/21m
WCv8HAKuqSnmKi4URbyqEs4GDUAivTcTO+2OY=`)

/** A key of another type: ssh-keygen -t ecdsa -N '' -f KEY */
export const ECDSA_KEY = armor(`
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQRwiHfk8JsUhGwqX8Xxhtm9+JI/YpBP
u2R6MSAhWeJHitJQ52EgXcABGyznGJRn45PJOKnQt6mVY46mpvv6R0+sAAAAqDQKCjw0Cg
o8AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHCId+TwmxSEbCpf
xfGG2b34kj9ikE+7ZHoxICFZ4keK0lDnYSBdwAEbLOcYlGfjk8k4qdC3qZVjjqam+/pHT6
wAAAAgGuxq0e/bp3Ya4WBoNGY8wyqIv44usgEnzvUtz1CXBFMAAAAKb3RoZXIgdHlwZQEC
AwQFBg==`)

function armor(body: string): string {
  return `-----BEGIN OPENSSH PRIVATE KEY-----${body}\n-----END OPENSSH PRIVATE KEY-----\n`
}

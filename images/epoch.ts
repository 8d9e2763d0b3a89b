/** The one time of everything that is built, in seconds: a date from the lock would change all layers at each lock. */
export const EPOCH = 1_735_689_600

/**
 * Subjects of one session (D5) [P-2.1]. Ids are `[a-z0-9]`, given by the coordinator, so that a name typed by a person
 * never becomes part of a subject.
 */
export interface SessionSubjects {
  /** Source to all sinks. */
  readonly data: string;
  /** Source to one sink: append the sink's id. */
  readonly toPrefix: string;
  /** One sink to the source: append the sink's id. */
  readonly upPrefix: string;
}

export function subjectsOf(sessionId: string): SessionSubjects {
  const root = `fanfold.${sessionId}`;
  return { data: `${root}.data`, toPrefix: `${root}.to.`, upPrefix: `${root}.up.` };
}

export function toSubject(subjects: SessionSubjects, sinkId: string): string {
  return subjects.toPrefix + sinkId;
}

export function upSubject(subjects: SessionSubjects, sinkId: string): string {
  return subjects.upPrefix + sinkId;
}

/** All sinks' reports. */
export function upWildcard(subjects: SessionSubjects): string {
  return `${subjects.upPrefix}*`;
}

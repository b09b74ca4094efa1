/** A task that waits for a thread. */
export interface Waiting {
  /** Whose it is: owners take turns. */
  readonly owner: string;
}

/**
 * Tasks in turns of their owners, so that an owner with many tasks delays those of others by one each. Bounded as a whole,
 * and for one owner to a quarter of it.
 */
export interface TaskQueue<Task extends Waiting> {
  /** False when there is no room. */
  add(task: Task): boolean;
  /** The next task; undefined when there is none. */
  take(): Task | undefined;
  /** Take a task out before its turn. */
  remove(task: Task): void;
  /** All tasks, which leave the queue. */
  clear(): readonly Task[];
}

const MAX_SHARE = 0.25;

export function createTaskQueue<Task extends Waiting>(maxTasks: number): TaskQueue<Task> {
  /** In the order of turns: an owner whose task was taken goes to the end. */
  const byOwner = new Map<string, Task[]>();
  const maxOfOwner = Math.max(1, Math.floor(maxTasks * MAX_SHARE));
  let size = 0;
  return {
    add(task) {
      const tasks = byOwner.get(task.owner) ?? [];
      if (size >= maxTasks || tasks.length >= maxOfOwner) return false;
      tasks.push(task);
      byOwner.set(task.owner, tasks);
      size++;
      return true;
    },
    take() {
      const [first] = byOwner;
      if (first === undefined) return undefined;
      const [owner, tasks] = first;
      const task = tasks.shift();
      byOwner.delete(owner);
      if (tasks.length > 0) byOwner.set(owner, tasks);
      size--;
      return task;
    },
    remove(task) {
      const tasks = byOwner.get(task.owner) ?? [];
      const at = tasks.indexOf(task);
      if (at === -1) return;
      tasks.splice(at, 1);
      if (tasks.length === 0) byOwner.delete(task.owner);
      size--;
    },
    clear() {
      const all = [...byOwner.values()].flat();
      byOwner.clear();
      size = 0;
      return all;
    },
  };
}

import { useMutation } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { download } from '../ui/download.ts';
import { problemOf } from '../ui/problem.ts';
import { toast } from '../ui/toasts.tsx';
import type { UsageRange } from './usage-range.ts';

/** Saves the days of the range: one line for each day, token, pipeline and plan of the project. */
export function CsvButton({ range, projectId }: { readonly range: UsageRange; readonly projectId: string }) {
  const { from, to } = range;
  const save = useMutation({
    mutationFn: () => cloud().usage.csv({ from, to, projectId }),
    onSuccess: (text) => download(`usage-${from}-${to}.csv`, text, 'text/csv'),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  return (
    <Button size="small" icon="download" isPending={save.isPending} onPress={() => save.mutate()}>
      CSV
    </Button>
  );
}

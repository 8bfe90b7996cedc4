/* What of System V IPC a program leaves behind stays when it ends: another one finds it. */
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
enum { KEY = 0x6c656674 };
int main(void) {
  IN_CHILD("leaves", {
    int id = shmget(KEY, 3 * PG, IPC_CREAT | 0600);
    char *p = shmat(id, NULL, 0);
    strcpy(p, "left behind");
    YES("semaphores", semget(KEY, 2, IPC_CREAT | 0600) >= 0);
    struct { long type; char text[8]; } m = {5, "letter"};
    NUM("message", msgsnd(msgget(KEY, IPC_CREAT | 0600), &m, sizeof m.text, 0));
  });
  int id = shmget(KEY, 0, 0);
  say("%s", (char *)shmat(id, NULL, SHM_RDONLY));
  struct { long type; char text[8]; } m;
  NUM("bytes", msgrcv(msgget(KEY, 0), &m, sizeof m.text, 0, 0));
  say("%ld %s", m.type, m.text);
  NUM("remove", shmctl(id, IPC_RMID, NULL));
  NUM("remove", semctl(semget(KEY, 0, 0), 0, IPC_RMID));
  NUM("remove", msgctl(msgget(KEY, 0), IPC_RMID, NULL));
  return 0;
}

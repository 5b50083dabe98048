// A library whose constructor waits for a thread.
#include <pthread.h>

#include <cstdio>
#include <cstdlib>

extern "C" int waited;
int waited = 0;

namespace {

struct Wait {
  Wait() {
    void* function = nullptr;
    sscanf(getenv("THREAD_FUNCTION"), "%p", &function);
    pthread_t thread;
    pthread_create(&thread, nullptr, reinterpret_cast<void* (*)(void*)>(function), nullptr);
    pthread_join(thread, nullptr);
    waited = 1;
  }
} wait;

}  // namespace

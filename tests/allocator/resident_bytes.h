// What of this process is in memory.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

inline size_t resident_bytes() {
  int fd = open("/proc/self/statm", O_RDONLY);
  char text[128] = {};
  EXPECT_GT(read(fd, text, sizeof text - 1), 0);
  close(fd);
  size_t total, resident;
  EXPECT_EQ(sscanf(text, "%zu %zu", &total, &resident), 2);
  return resident * 4096;
}

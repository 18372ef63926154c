#pragma once
/// The sensor in the greenhouse: a program of its own, with a durable work list, that is killed in the middle of its
/// work.

#include <functional>
#include <string>

namespace demo {

/// What the program is told.
struct SensorPlan {
    std::string server, store, topic;
    int first = 0, count = 0; ///< the readings it takes
};

/// The program itself, behind `demo --sensor`: publishes its readings at QoS 2 and writes "accepted NUMBER" for each
/// that the work list has on disk; ends when all are delivered. Its exit code.
int run_sensor(const SensorPlan&);

/// Another process that runs it.
class SensorProcess {
public:
    explicit SensorProcess(const SensorPlan&);
    /// Kills it if it still runs.
    ~SensorProcess();
    SensorProcess(const SensorProcess&) = delete;
    SensorProcess& operator=(const SensorProcess&) = delete;

    /// Reads what it writes; calls the function for each reading that it says is accepted, until that returns false or
    /// the program ends. False if it ended.
    bool read_accepted(const std::function<bool(int)>&);
    /// kill -9.
    void kill();
    /// Waits for its end; true if it was a good one.
    bool ended_well();

private:
    bool read_some();
    int pid_ = -1, output_ = -1;
    std::string text_;
};

} // namespace demo

#pragma once
/// What this process uses, a line a second, in memory and in a file.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace soak {

struct Sample {
    double seconds = 0, mebibytes = 0, descriptors = 0, threads = 0, up = 0,
           messages = 0; ///< messages: arrived, a second
    bool fault = false;  ///< one began
};

inline double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Watch {
public:
    explicit Watch(const std::string& file) : file_(file) {
        file_ << "seconds,resident_mib,descriptors,threads,connections_up,messages_per_second,fault\n";
    }
    /// Fills in what the system knows, and keeps it.
    const Sample& add(Sample sample) {
        sample.mebibytes = of_status("VmRSS:") / 1024;
        sample.threads = of_status("Threads:");
        const std::filesystem::directory_iterator open("/proc/self/fd");
        sample.descriptors = static_cast<double>(std::distance(begin(open), end(open))) - 1; // without that one
        samples_.push_back(sample);
        file_ << sample.seconds << ',' << sample.mebibytes << ',' << sample.descriptors << ',' << sample.threads << ','
              << sample.up << ',' << sample.messages << ',' << sample.fault << std::endl;
        return samples_.back();
    }
    const std::vector<Sample>& samples() const { return samples_; }
    /// The middle one of a field, from one part of the run to another (0 … 1).
    double median(double Sample::*field, double from, double to) const {
        const auto at = [&](double part) {
            return static_cast<std::size_t>(part * static_cast<double>(samples_.size()));
        };
        std::vector<double> values;
        for (auto i = at(from); i < at(to); ++i) values.push_back(samples_[i].*field);
        if (values.empty()) return 0;
        std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
        return values[values.size() / 2];
    }

private:
    static double of_status(std::string_view word) {
        std::ifstream in("/proc/self/status");
        for (std::string line; std::getline(in, line);)
            if (line.starts_with(word)) return std::atof(line.c_str() + word.size());
        return 0;
    }
    std::ofstream file_;
    std::vector<Sample> samples_;
};

} // namespace soak
